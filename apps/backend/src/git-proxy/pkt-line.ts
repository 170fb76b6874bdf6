/** What is not in git's packet format, or longer than it may be. */
export class PktMalformed extends Error {
  override readonly name = 'PktMalformed'
}

/** The beginning of a request of git up to its first flush packet, as it arrives. */
export class PktSection {
  readonly lines: Buffer[] = []
  readonly #bytes: Buffer
  #size = 0
  #at = 0
  #ended = false

  /** `limit`: bytes that it may have, without those behind the flush packet. */
  constructor(limit: number) {
    this.#bytes = Buffer.alloc(limit)
  }

  /** Takes what came; gives what is behind the flush packet as soon as that has come. Throws PktMalformed. */
  take(chunk: Buffer): Buffer | undefined {
    const before = this.#size
    this.#size += chunk.copy(this.#bytes, before)
    while (!this.#ended && this.#readPacket()) {}
    if (this.#ended) return chunk.subarray(this.#at - before)
    if (this.#size === this.#bytes.length)
      throw new PktMalformed(`more than ${this.#bytes.length} bytes come before the first flush packet`)
    return undefined
  }

  /** All of it with the flush packet, to be sent on as it came. */
  get head(): Buffer {
    return this.#bytes.subarray(0, this.#at)
  }

  #readPacket(): boolean {
    if (this.#size - this.#at < 4) return false
    const text = this.#bytes.toString('latin1', this.#at, this.#at + 4)
    const length = /^[0-9a-fA-F]{4}$/.test(text) ? Number.parseInt(text, 16) : Number.NaN
    if (length === 0) {
      this.#at += 4
      this.#ended = true
      return true
    }
    // 1 and 2 are delimiters of another version of the protocol; 4 is an empty line, which nobody sends.
    if (!(length > 4)) throw new PktMalformed('a packet has no valid length')
    if (this.#size - this.#at < length) return false
    this.lines.push(Buffer.from(this.#bytes.subarray(this.#at + 4, this.#at + length)))
    this.#at += length
    return true
  }
}

const longest = 65_516

/** One packet. What is longer than a packet is cut. */
export const pktLine = (content: string | Buffer): Buffer => {
  const bytes = Buffer.from(content as string, 'utf8').subarray(0, longest)
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, '0')), bytes])
}

export const flushPacket = Buffer.from('0000')
