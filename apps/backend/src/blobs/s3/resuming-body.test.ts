import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { ResumingBody } from './resuming-body.ts'

const bytes = randomBytes(1_000_000)
const blob = createHash('sha256').update(bytes).digest('hex')

/** The bytes from one place to another in small pieces, and then an end that comes too early or an error. */
const cutShort = (from: number, to = bytes.length, error?: Error) =>
  Readable.from(
    (async function* () {
      for (let at = from; at < to; at += 10_000) yield bytes.subarray(at, Math.min(at + 10_000, to))
      if (error !== undefined) throw error
    })(),
  )

const named = (name: string, status: number) =>
  Object.assign(new Error(name), { name, $metadata: { httpStatusCode: status } })

const body = (open: (from: number) => Promise<Readable>, first = cutShort(0, 333_333)) =>
  new ResumingBody({ blob, size: bytes.length, first, open, delayMs: 0 })

describe('ResumingBody', () => {
  it('goes on where a connection broke or ended, as often as it moves', async () => {
    const asked: number[] = []
    const open = async (from: number) => {
      asked.push(from)
      const broken = asked.length % 2 === 0 ? new Error('reset') : undefined
      return cutShort(from, Math.min(from + 100_001, bytes.length), broken)
    }
    expect((await buffer(body(open))).equals(bytes)).toBe(true)
    expect(asked).toEqual([0, 1, 2, 3, 4, 5, 6].map((index) => 333_333 + index * 100_001))
  })

  it('goes on after refusals that pass, and gives up after four in a row', async () => {
    let asked = 0
    const busy = async (from: number) => {
      asked += 1
      if (asked < 3) throw named('SlowDown', 503)
      return cutShort(from)
    }
    expect((await buffer(body(busy))).equals(bytes)).toBe(true)
    const never = body(async () => {
      throw named('SlowDown', 503)
    })
    await expect(buffer(never)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/SlowDown/),
    })
  })

  it('says that the blob was removed meanwhile', async () => {
    const removed = body(async () => {
      throw named('NoSuchKey', 404)
    })
    await expect(buffer(removed)).rejects.toMatchObject({ code: 'blob_not_found' })
  })

  it('fails at the end when the bytes are not those of the name', async () => {
    const first = Readable.from([Buffer.alloc(bytes.length)])
    await expect(buffer(body(async (from) => cutShort(from), first))).rejects.toThrow(/other bytes/)
  })

  it('lets the connection go with its reader, also while it waits for the store', async () => {
    const first = cutShort(0, 333_333)
    let signal: AbortSignal | undefined
    const content = new ResumingBody({
      blob,
      size: bytes.length,
      first,
      open: (_, given) => {
        signal = given
        return new Promise((_, reject) => given.addEventListener('abort', () => reject(given.reason)))
      },
    })
    content.resume()
    await expect.poll(() => signal).toBeDefined()
    content.destroy()
    await once(content, 'close')
    expect([signal?.aborted, first.destroyed]).toEqual([true, true])
  })
})
