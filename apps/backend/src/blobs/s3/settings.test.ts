import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { s3SettingsOf, s3Variables, s3WithoutBucket } from './settings.ts'

const read = (values: Record<string, string>) => s3SettingsOf(z.object(s3Variables).parse(values))
const refused = (values: Record<string, string>) =>
  z
    .object(s3Variables)
    .safeParse(values)
    .error?.issues.map(({ path }) => path.join('.'))

describe('the settings of S3', () => {
  it('are none without a bucket, and AWS’s own with nothing else', () => {
    expect(read({})).toBeUndefined()
    const aws = { bucket: 'blobs', prefix: '', endpoint: undefined, region: 'us-east-1', pathStyle: false }
    expect(read({ BERTH_S3_BUCKET: 'blobs' })).toEqual(aws)
  })

  it('name the bucket in the path of an endpoint, unless they say otherwise', () => {
    const values = { BERTH_S3_BUCKET: 'blobs', BERTH_S3_ENDPOINT: 'http://minio:9000' }
    expect(read(values)?.pathStyle).toBe(true)
    expect(read({ ...values, BERTH_S3_PATH_STYLE: 'false' })?.pathStyle).toBe(false)
    expect(read({ ...values, BERTH_S3_PREFIX: '/team/berth/' })?.prefix).toBe('team/berth')
  })

  it.each([
    ['BERTH_S3_BUCKET', 'Blobs'],
    ['BERTH_S3_BUCKET', 'a/b'],
    ['BERTH_S3_PREFIX', 'a//b'],
    ['BERTH_S3_PREFIX', '../a'],
    ['BERTH_S3_PREFIX', 'a b'],
    ['BERTH_S3_ENDPOINT', 'minio:9000'],
    ['BERTH_S3_ENDPOINT', 'http://key:secret@minio'],
    ['BERTH_S3_REGION', 'a b'],
    ['BERTH_S3_PATH_STYLE', 'yes'],
  ])('refuse %s=%s', (variable, value) => {
    expect(refused({ [variable]: value })).toEqual([variable])
  })

  it('are of no use without a bucket', () => {
    const given = { BERTH_S3_PREFIX: 'a', BERTH_S3_ENDPOINT: 'http://minio' }
    expect(s3WithoutBucket(given).map(({ variable }) => variable)).toEqual(Object.keys(given))
    expect(s3WithoutBucket({ ...given, BERTH_S3_BUCKET: 'a' })).toEqual([])
  })
})
