import type { Readable } from 'node:stream'
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { checkBlob, checkScope, isScope } from '../names.ts'
import type { BlobStore, BlobUpload } from '../port.ts'
import { s3Client } from './client.ts'
import { blobFault, isMissing, isRefusal } from './fault.ts'
import { putInParts } from './multipart.ts'
import { partsOf } from './parts.ts'
import type { BlobPlace } from './place.ts'
import { removeOldUploads, removeUnder } from './removal.ts'
import { ResumingBody } from './resuming-body.ts'
import type { S3Settings } from './settings.ts'
import { Slots } from './slots.ts'

/** How much of an upload is held and sent at once, and how many uploads are at the same time: 128 MiB in all. */
const partBytes = 8 * 1024 * 1024
const maxUploads = 16

/** Uploads in parts that were begun so long ago are nobody's any more. */
const oldUploadMs = 24 * 3600_000

export interface S3BlobsOptions extends S3Settings {
  now(): number
  /** Told what is wrong, but does not keep the store from being used. */
  warn(message: string): void
}

export interface S3Blobs extends BlobStore {
  /** Ends idle connections. */
  close(): void
}

/**
 * Blobs as objects of an S3-compatible store, under `<prefix>/<session>/<sha256>`: for any number of backends at once.
 * Asks the store one question first: rejects when it refuses the answer, and goes on with a warning when it is away.
 */
export const createS3Blobs = async (options: S3BlobsOptions): Promise<S3Blobs> => {
  const { bucket, prefix, endpoint, warn, now } = options
  const client = s3Client(options)
  const root = prefix === '' ? '' : `${prefix}/`
  const where = `the bucket ${bucket}${endpoint === undefined ? '' : ` at ${endpoint}`}`
  try {
    await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: root, MaxKeys: 1 }))
  } catch (error) {
    if (isRefusal(error)) {
      client.destroy()
      throw new Error(`Blobs can't be kept in ${where}. ${blobFault(error).message}`)
    }
    warn(`Blobs are kept in ${where}, which is away. ${blobFault(error).message}`)
  }
  // Parts of what a killed backend was sending; a bucket's own rule may do the same.
  removeOldUploads({ client, bucket, root }, now() - oldUploadMs).catch((error) =>
    warn(`Unfinished uploads in ${where} were not looked for. ${blobFault(error).message}`),
  )
  return new S3BlobStore({ client, bucket, root })
}

class S3BlobStore implements S3Blobs {
  readonly #place: BlobPlace
  readonly #uploads = new Slots(maxUploads)

  constructor(place: BlobPlace) {
    this.#place = place
  }

  async put(scope: string, upload: BlobUpload) {
    const target = this.#target(scope, upload.blob)
    // It may break off while it waits for its turn; reading it then tells.
    upload.content.on('error', () => undefined)
    const release = await this.#uploads.take()
    try {
      const parts = partsOf(upload, partBytes)
      const first = (await parts.next()).value
      if (first === undefined || first.last) {
        const bytes = first?.bytes ?? Buffer.alloc(0)
        await this.#ask((client) => client.send(new PutObjectCommand({ ...target, Body: bytes })))
        return { size: bytes.length }
      }
      return { size: await putInParts(this.#place.client, target, { first, rest: parts }) }
    } catch (error) {
      upload.content.destroy()
      throw error
    } finally {
      release()
    }
  }

  async get(scope: string, blob: string) {
    const target = this.#target(scope, blob)
    const open = async (range?: string, signal?: AbortSignal) => {
      const { client } = this.#place
      return client.send(new GetObjectCommand({ ...target, Range: range }), { abortSignal: signal })
    }
    const found = await this.#ask(() => open().catch(missing))
    if (found === undefined) return undefined
    const size = found.ContentLength ?? 0
    const content = new ResumingBody({
      blob,
      size,
      first: found.Body as Readable,
      open: async (from, signal) => (await open(`bytes=${from}-`, signal)).Body as Readable,
    })
    return { size, content }
  }

  async copy(from: string, blob: string, to: string) {
    const source = this.#target(from, blob)
    const target = this.#target(to, blob)
    const CopySource = `${source.Bucket}/${source.Key}`
    const found = await this.#ask((client) => {
      // A copy onto itself is refused by the store.
      if (from === to) return client.send(new HeadObjectCommand(source)).catch(missing)
      return client.send(new CopyObjectCommand({ ...target, CopySource })).catch(missing)
    })
    return found !== undefined
  }

  async remove(scope: string, blob: string) {
    const target = this.#target(scope, blob)
    await this.#ask((client) => client.send(new DeleteObjectCommand(target)).catch(missing))
  }

  async removeAll(scope: string) {
    const under = `${this.#place.root}${checkScope(scope)}/`
    await this.#ask(() => removeUnder(this.#place, under))
  }

  async *scopes() {
    const { bucket, root } = this.#place
    let after: string | undefined
    do {
      const query = { Bucket: bucket, Prefix: root, Delimiter: '/', ContinuationToken: after }
      const page = await this.#ask((client) => client.send(new ListObjectsV2Command(query)))
      for (const { Prefix = '' } of page.CommonPrefixes ?? []) {
        const name = Prefix.slice(root.length, -1)
        if (isScope(name)) yield name
      }
      after = page.IsTruncated === true ? page.NextContinuationToken : undefined
    } while (after !== undefined)
  }

  close() {
    this.#place.client.destroy()
  }

  #target(scope: string, blob: string) {
    const { bucket, root } = this.#place
    return { Bucket: bucket, Key: `${root}${checkScope(scope)}/${checkBlob(blob)}` }
  }

  async #ask<T>(request: (client: S3Client) => Promise<T>): Promise<T> {
    try {
      return await request(this.#place.client)
    } catch (error) {
      throw blobFault(error)
    }
  }
}

const missing = (error: unknown): undefined => {
  if (!isMissing(error)) throw error
}
