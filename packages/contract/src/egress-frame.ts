import { z } from 'zod'

/** Bytes of a head: method, address and headers of one request, or status and headers of its answer. */
const maxHead = 128 * 1024

const pairs = z.array(z.tuple([z.string().max(256), z.string().max(64 * 1024)])).max(200)

/** A request of a program in a sandbox, as the door understood it. What of it is passed on is the backend's to say. */
export const egressRequestHead = z.object({
  scheme: z.enum(['https', 'http']),
  /** Host and port as they were asked for, e.g. `example.com:443`. */
  authority: z.string().max(300),
  method: z.string().max(20),
  /** Path and query. */
  target: z.string().max(16 * 1024),
  headers: pairs,
  /** Bytes of the body that follows; missing with a body that says where it ends; 0: there is none. */
  length: z.number().int().nonnegative().optional(),
})

export type EgressRequestHead = z.infer<typeof egressRequestHead>

/** What a host answered. */
export const egressAnswerHead = z.object({ status: z.number().int().min(200).max(599), headers: pairs })
export type EgressAnswerHead = z.infer<typeof egressAnswerHead>

/** Something that is no head. */
export class BadFrame extends Error {
  override readonly name = 'BadFrame'
}

/**
 * A head as it travels between door and backend before the bytes of the body: four bytes that say how long it is, then JSON.
 * Nothing of it is ever a header there, so nothing in it can be taken for one.
 */
export const encodeHead = (head: EgressRequestHead | EgressAnswerHead): Uint8Array<ArrayBuffer> => {
  const json = new TextEncoder().encode(JSON.stringify(head))
  if (json.length > maxHead) throw new BadFrame(`its headers are larger than ${maxHead} bytes`)
  const frame = new Uint8Array(4 + json.length)
  new DataView(frame.buffer).setUint32(0, json.length)
  frame.set(json, 4)
  return frame
}

/** Takes the head off a stream of bytes. */
export class HeadReader<T> {
  readonly #schema: z.ZodType<T>
  #held = new Uint8Array(0)

  constructor(schema: z.ZodType<T>) {
    this.#schema = schema
  }

  /** Takes a piece; the head and what came behind it as soon as it is whole. Throws BadFrame. */
  take(piece: Uint8Array): { head: T; rest: Uint8Array<ArrayBuffer> } | undefined {
    const held = new Uint8Array(this.#held.length + piece.length)
    held.set(this.#held)
    held.set(piece, this.#held.length)
    this.#held = held
    if (held.length < 4) return undefined
    const size = new DataView(held.buffer).getUint32(0)
    if (size > maxHead) throw new BadFrame(`a head of ${size} bytes`)
    if (held.length < 4 + size) return undefined
    return { head: this.#parse(held.subarray(4, 4 + size)), rest: held.slice(4 + size) }
  }

  #parse(json: Uint8Array): T {
    try {
      return this.#schema.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json)))
    } catch {
      throw new BadFrame('a head that can’t be read')
    }
  }
}
