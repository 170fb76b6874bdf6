import type { S3Client } from '@aws-sdk/client-s3'

/** A place for blobs in a bucket. */
export interface BlobPlace {
  client: S3Client
  bucket: string
  /** What all keys start with: empty, or with a slash at the end. */
  root: string
}
