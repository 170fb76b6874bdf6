import {
  AbortMultipartUploadCommand,
  DeleteObjectsCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsOutput,
  ListObjectsV2Command,
} from '@aws-sdk/client-s3'
import { isMissing, isRefusal } from './fault.ts'
import type { BlobPlace } from './place.ts'

/** Removes every object whose key starts so, and what was sent of unfinished ones. */
export const removeUnder = async (place: BlobPlace, under: string): Promise<void> => {
  const { client, bucket } = place
  for (let more = true; more; ) {
    // From the start each time: what was listed is gone.
    const page = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: under }))
    more = page.IsTruncated === true
    const Objects = (page.Contents ?? []).map(({ Key }) => ({ Key }))
    if (Objects.length === 0) break
    const { Errors = [] } = await client.send(
      new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }),
    )
    const [first] = Errors.filter(({ Code }) => Code !== 'NoSuchKey')
    if (first !== undefined) throw Object.assign(new Error('an object was not removed'), { code: first.Code })
  }
  // Where that is not allowed, the start of the backend says so.
  await abortUploads(place, under, () => true).catch((error) => {
    if (!isRefusal(error)) throw error
  })
}

/** Takes back the uploads in parts that were begun before a moment and never ended. */
export const removeOldUploads = (place: BlobPlace, before: number): Promise<void> =>
  abortUploads(place, place.root, (begun) => begun < before)

const abortUploads = async (
  { client, bucket }: BlobPlace,
  under: string,
  isOver: (begun: number) => boolean,
): Promise<void> => {
  let marker: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {}
  while (marker !== undefined) {
    const query = { Bucket: bucket, Prefix: under, ...marker }
    const page: ListMultipartUploadsOutput = await client.send(new ListMultipartUploadsCommand(query))
    for (const { Key, UploadId, Initiated } of page.Uploads ?? [])
      if (Key?.startsWith(under) && isOver(Initiated?.getTime() ?? Number.POSITIVE_INFINITY))
        await client
          .send(new AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }))
          .catch((error) => {
            if (!isMissing(error)) throw error
          })
    const { IsTruncated, NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = page
    marker = IsTruncated === true && KeyMarker !== undefined ? { KeyMarker, UploadIdMarker } : undefined
  }
}
