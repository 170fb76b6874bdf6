import { createHash } from 'node:crypto'
import { BerthError } from '@berth/contract'
import type { BlobUpload } from './port.ts'

/** Watches the bytes of an upload pass: no more than it may have, and in the end those of its name. */
export class BlobCheck {
  readonly #hash = createHash('sha256')
  readonly #upload: Pick<BlobUpload, 'blob' | 'maxBytes'>
  #size = 0

  constructor(upload: Pick<BlobUpload, 'blob' | 'maxBytes'>) {
    this.#upload = upload
  }

  /** Throws `too_large` as soon as it is. */
  pass(chunk: Buffer): void {
    const { maxBytes } = this.#upload
    this.#size += chunk.length
    if (this.#size > maxBytes)
      throw new BerthError(
        'too_large',
        `The content is larger than the ${maxBytes} bytes that a blob may have.`,
      )
    this.#hash.update(chunk)
  }

  /** The size; throws `invalid_input` when the content is not what its name says. */
  end(): number {
    const { blob } = this.#upload
    const found = this.#hash.digest('hex')
    if (found === blob) return this.#size
    throw new BerthError('invalid_input', `The content's SHA-256 is ${found}, not ${blob}. Send it again.`)
  }
}
