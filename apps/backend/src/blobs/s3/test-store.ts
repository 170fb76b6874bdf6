import { randomUUID } from 'node:crypto'
import { CreateBucketCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3'
import { s3Client } from './client.ts'
import type { S3Settings } from './settings.ts'

const env = process.env

/** Why tests against a real S3-compatible server can't run here, or undefined. */
export const noTestStore: string | undefined =
  env.BERTH_TEST_S3_ENDPOINT === undefined
    ? 'needs BERTH_TEST_S3_ENDPOINT, BERTH_TEST_S3_ACCESS_KEY and BERTH_TEST_S3_SECRET_KEY'
    : undefined

/** A place of its own in the bucket of the tests, which is made when it isn't there. Sets the keys of this process. */
export const testStore = async (): Promise<{ settings: S3Settings; client: S3Client }> => {
  env.AWS_ACCESS_KEY_ID = env.BERTH_TEST_S3_ACCESS_KEY
  env.AWS_SECRET_ACCESS_KEY = env.BERTH_TEST_S3_SECRET_KEY
  const settings = {
    bucket: env.BERTH_TEST_S3_BUCKET ?? 'berth-tests',
    prefix: `tests/${randomUUID()}`,
    endpoint: env.BERTH_TEST_S3_ENDPOINT,
    region: 'us-east-1',
    pathStyle: true,
  }
  const client = s3Client(settings)
  await client.send(new CreateBucketCommand({ Bucket: settings.bucket })).catch((error) => {
    if (!/BucketAlready/.test(error.name)) throw error
  })
  return { settings, client }
}

/** The first thousand keys in a place. */
export const keysUnder = async (client: S3Client, { bucket, prefix }: S3Settings): Promise<string[]> => {
  const { Contents = [] } = await client.send(
    new ListObjectsV2Command({ Bucket: bucket, Prefix: `${prefix}/` }),
  )
  return Contents.map(({ Key = '' }) => Key)
}
