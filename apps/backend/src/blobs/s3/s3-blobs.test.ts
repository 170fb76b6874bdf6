import { createHash, randomBytes } from 'node:crypto'
import { type AddressInfo, createServer } from 'node:net'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { CreateMultipartUploadCommand, ListMultipartUploadsCommand, type S3Client } from '@aws-sdk/client-s3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { blobConformance } from '../conformance/index.ts'
import { removeUnder } from './removal.ts'
import { createS3Blobs } from './s3-blobs.ts'
import type { S3Settings } from './settings.ts'
import { keysUnder, noTestStore, testStore } from './test-store.ts'

const session = 'ses_01k11111111111111111111111'
const hour = 3600_000

const open = async (more: Partial<{ now: () => number; prefix: string }> = {}) => {
  const { settings, client } = await testStore()
  const warnings: string[] = []
  const options = { ...settings, now: Date.now, warn: (message: string) => warnings.push(message), ...more }
  const blobs = await createS3Blobs(options)
  const dispose = async () => {
    await removeUnder({ client, bucket: options.bucket, root: '' }, `${options.prefix}/`)
    blobs.close()
    client.destroy()
  }
  return { blobs, client, settings: { ...settings, prefix: options.prefix }, warnings, dispose }
}

const uploadsOf = async (client: S3Client, { bucket, prefix }: S3Settings) => {
  const query = { Bucket: bucket, Prefix: `${prefix}/` }
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand(query))
  return Uploads.map(({ Key = '' }) => Key)
}

const nameOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

/** More than two parts. */
const large = randomBytes(20 * 1024 * 1024)
const largeBlob = nameOf(large)

/** In pieces as they come from a socket. */
async function* pieces(bytes: Buffer, end = bytes.length) {
  for (let at = 0; at < end; at += 65_536) yield bytes.subarray(at, Math.min(end, at + 65_536))
}

describe.skipIf(noTestStore !== undefined)(`S3 (${noTestStore ?? 'there'})`, () => {
  blobConformance('A bucket', async () => {
    const { blobs, dispose } = await open()
    return { blobs, many: 1100, dispose }
  })

  const use = async (more?: Parameters<typeof open>[0]) => {
    const place = await open(more)
    onTestFinished(place.dispose)
    return place
  }

  it('puts what is larger than a part in parts, and gives it back', async () => {
    const { blobs, client, settings } = await use()
    const content = Readable.from(pieces(large))
    expect(await blobs.put(session, { blob: largeBlob, content, maxBytes: large.length })).toEqual({
      size: large.length,
    })
    expect(await keysUnder(client, settings)).toEqual([`${settings.prefix}/${session}/${largeBlob}`])
    expect(await uploadsOf(client, settings)).toEqual([])
    const found = await blobs.get(session, largeBlob)
    expect(found && (await buffer(found.content)).equals(large)).toBe(true)
  })

  it.each([
    ['breaks off', largeBlob, large.length],
    ['is of another hash', nameOf(Buffer.from('other')), large.length],
    ['is too large', largeBlob, large.length - 1],
  ])('leaves no part of an upload in parts that %s', async (what, blob, maxBytes) => {
    const { blobs, client, settings } = await use()
    const seen: string[] = []
    const watched = async function* () {
      yield* pieces(large, 17 * 1024 * 1024)
      seen.push(...(await uploadsOf(client, settings)))
      if (what === 'breaks off') throw new Error('connection lost')
      yield large.subarray(17 * 1024 * 1024)
    }
    const content = Readable.from(watched())
    await expect(blobs.put(session, { blob, content, maxBytes })).rejects.toThrow(/lost|SHA-256|larger/)
    expect(seen, 'while it was sent').toHaveLength(1)
    expect(await uploadsOf(client, settings)).toEqual([])
    expect(await keysUnder(client, settings)).toEqual([])
  })

  it('takes what a kill left of uploads away: old ones at the start, all with their session', async () => {
    const { blobs, client, settings } = await use()
    const Key = `${settings.prefix}/${session}/${largeBlob}`
    await client.send(new CreateMultipartUploadCommand({ Bucket: settings.bucket, Key }))
    await use({ prefix: settings.prefix, now: () => Date.now() + 23 * hour })
    expect(await uploadsOf(client, settings)).toEqual([Key])
    await use({ prefix: settings.prefix, now: () => Date.now() + 25 * hour })
    await expect.poll(() => uploadsOf(client, settings)).toEqual([])
    await client.send(new CreateMultipartUploadCommand({ Bucket: settings.bucket, Key }))
    await blobs.removeAll(session)
    expect(await uploadsOf(client, settings)).toEqual([])
  })

  it('is one store for several backends', async () => {
    const { blobs, settings } = await use()
    const { blobs: other } = await use({ prefix: settings.prefix })
    const bytes = Buffer.from('one')
    const put = (store: typeof blobs) =>
      store.put(session, { blob: nameOf(bytes), content: Readable.from([bytes]), maxBytes: 10 })
    await Promise.all([put(blobs), put(other), put(blobs), put(other)])
    const found = await other.get(session, nameOf(bytes))
    expect(found && String(await buffer(found.content))).toBe('one')
    await Promise.all([blobs.removeAll(session), other.removeAll(session)])
    expect(await blobs.get(session, nameOf(bytes))).toBeUndefined()
  })

  it('is refused at the start with a bucket that is not there', async () => {
    const { settings } = await use()
    const options = { ...settings, bucket: 'berth-never-made', now: Date.now, warn: () => undefined }
    await expect(createS3Blobs(options)).rejects.toThrow(/berth-never-made.*NoSuchBucket/s)
  })
})

describe('a store that is away', () => {
  const away = async () => {
    process.env.AWS_ACCESS_KEY_ID ??= 'any'
    process.env.AWS_SECRET_ACCESS_KEY ??= 'any'
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as AddressInfo
    await new Promise((resolve) => server.close(resolve))
    const warnings: string[] = []
    const blobs = await createS3Blobs({
      bucket: 'berth-tests',
      prefix: '',
      endpoint: `http://127.0.0.1:${port}`,
      region: 'us-east-1',
      pathStyle: true,
      now: Date.now,
      warn: (message) => warnings.push(message),
    })
    onTestFinished(() => blobs.close())
    return { blobs, warnings }
  }

  it('is warned of at the start, and refuses with what may be tried again', async () => {
    const { blobs, warnings } = await away()
    expect(warnings[0]).toMatch(/bucket berth-tests at http.*ECONNREFUSED/s)
    const blob = nameOf(Buffer.from('x'))
    const content = Readable.from([Buffer.from('x')])
    const refused = { code: 'unavailable' }
    await expect(blobs.put(session, { blob, content, maxBytes: 10 })).rejects.toMatchObject(refused)
    expect(content.destroyed).toBe(true)
    await expect(blobs.get(session, blob)).rejects.toMatchObject(refused)
    await expect(blobs.removeAll(session)).rejects.toMatchObject(refused)
    await expect(blobs.scopes()[Symbol.asyncIterator]().next()).rejects.toMatchObject(refused)
  })
})
