import { BlobCheck } from '../blob-check.ts'
import type { BlobUpload } from '../port.ts'

export interface Part {
  /** Used again for the next part: to be sent before it is asked for. */
  bytes: Buffer
  /** Whether it is the last, and so all of the content was what its name says. */
  last: boolean
}

/** Cuts an upload into parts of one size, of which it holds one. At least one comes, and the last may be empty or smaller. */
export async function* partsOf(upload: BlobUpload, partBytes: number): AsyncGenerator<Part, void, undefined> {
  const check = new BlobCheck(upload)
  const part = Buffer.allocUnsafe(Math.min(partBytes, upload.maxBytes))
  let length = 0
  for await (const chunk of upload.content as AsyncIterable<Buffer>) {
    check.pass(chunk)
    for (let rest = chunk; rest.length > 0; ) {
      if (length === part.length) {
        yield { bytes: part, last: false }
        length = 0
      }
      const copied = rest.copy(part, length)
      length += copied
      rest = rest.subarray(copied)
    }
  }
  check.end()
  yield { bytes: part.subarray(0, length), last: true }
}
