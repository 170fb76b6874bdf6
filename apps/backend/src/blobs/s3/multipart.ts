import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { blobFault, isMissing } from './fault.ts'
import type { Part } from './parts.ts'

export interface ObjectTarget {
  Bucket: string
  Key: string
}

/** A part that is there, and those that come after it. */
export interface PartsToSend {
  first: Part
  rest: AsyncIterable<Part>
}

/**
 * Puts an object in parts, one after the other; its size. It is there as a whole when this resolves. When sending or the
 * parts fail, what was sent is taken back, so that nobody pays for it.
 */
export const putInParts = async (
  client: S3Client,
  target: ObjectTarget,
  parts: PartsToSend,
): Promise<number> => {
  const asking = <T>(answer: Promise<T>): Promise<T> =>
    answer.catch((error) => {
      throw blobFault(error)
    })
  const { UploadId } = await asking(client.send(new CreateMultipartUploadCommand(target)))
  const upload = { ...target, UploadId }
  const sent: { ETag: string | undefined; PartNumber: number }[] = []
  let size = 0
  const send = async ({ bytes }: Part) => {
    const part = { PartNumber: sent.length + 1, Body: bytes }
    const { ETag } = await asking(client.send(new UploadPartCommand({ ...upload, ...part })))
    sent.push({ ETag, PartNumber: part.PartNumber })
    size += bytes.length
  }
  try {
    await send(parts.first)
    for await (const part of parts.rest) await send(part)
    await asking(complete(client, upload, { sent, size }))
    return size
  } catch (error) {
    // If this fails too, the removal of the session or the next start of a backend takes the parts away.
    await client.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined)
    throw error
  }
}

const complete = async (
  client: S3Client,
  { UploadId, ...target }: ObjectTarget & { UploadId: string | undefined },
  { sent, size }: { sent: { ETag: string | undefined; PartNumber: number }[]; size: number },
): Promise<void> => {
  try {
    const MultipartUpload = { Parts: sent }
    await client.send(new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload }))
  } catch (error) {
    // A first try may have done it, with its answer lost: then the upload is gone and the object there.
    if (!isMissing(error)) throw error
    const { ContentLength } = await client.send(new HeadObjectCommand(target))
    if (ContentLength !== size) throw error
  }
}
