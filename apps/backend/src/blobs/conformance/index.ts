import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { PassThrough, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { isBerthError } from '@berth/contract'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { BlobStore } from '../port.ts'

/** A fresh, empty blob store, and the end of it. */
export interface BlobHarness {
  blobs: BlobStore
  /** More than the store lists at once. Default: 50, for one that has no such limit. */
  many?: number
  dispose(): Promise<void>
}

const maxBytes = 1_000_000
const session = 'ses_01k11111111111111111111111'
const other = 'ses_01k22222222222222222222222'

const nameOf = (content: string | Buffer) => createHash('sha256').update(content).digest('hex')
const streamOf = (...chunks: (string | Buffer)[]) => Readable.from(chunks.map((chunk) => Buffer.from(chunk)))

/** Every promise of the port. */
export const blobConformance = (name: string, make: () => Promise<BlobHarness>): void => {
  describe(`${name} as a blob store`, () => {
    let harness: BlobHarness
    beforeEach(async () => {
      harness = await make()
    })
    afterEach(() => harness.dispose())
    const use = () => harness.blobs
    describe('content', () => contentCases(use))
    describe('refusals', () => refusalCases(use))
    describe('removals', () => removalCases(use))
    describe('sessions', () => sessionCases(use))
    describe('copies', () => copyCases(use))
    describe('many', { timeout: 60_000 }, () => numerousCases(() => harness))
  })
}

const put = (blobs: BlobStore, content: string | Buffer, of = session) =>
  blobs.put(of, { blob: nameOf(content), content: streamOf(content), maxBytes })

const read = async (blobs: BlobStore, blob: string, of = session) => {
  const found = await blobs.get(of, blob)
  return found === undefined ? undefined : buffer(found.content)
}

const sessionsOf = async (blobs: BlobStore) => {
  const found: string[] = []
  for await (const name of blobs.scopes()) found.push(name)
  return found.sort()
}

const codeOf = async (promise: Promise<unknown>) => {
  try {
    await promise
    return 'fulfilled'
  } catch (error) {
    return isBerthError(error) ? error.code : String(error)
  }
}

const contentCases = (use: () => BlobStore) => {
  it.each([
    ['empty', Buffer.alloc(0)],
    ['text', Buffer.from('text')],
    ['binary', Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7919) % 256))],
  ])('gives back what was put: %s', async (_, content) => {
    expect(await put(use(), content)).toEqual({ size: content.length })
    const found = await use().get(session, nameOf(content))
    expect(found?.size).toBe(content.length)
    expect(found && (await buffer(found.content)).equals(content)).toBe(true)
  })

  it('joins chunks of any size', async () => {
    const chunks = ['a', 'bc', 'def'.repeat(50_000)]
    const blob = nameOf(chunks.join(''))
    await use().put(session, { blob: blob, content: streamOf(...chunks), maxBytes })
    expect(String(await read(use(), blob))).toBe(chunks.join(''))
  })

  it('takes the same blob again, also many times at once and while it is read', async () => {
    const content = 'x'.repeat(200_000)
    await put(use(), content)
    const reader = await use().get(session, nameOf(content))
    await Promise.all(Array.from({ length: 10 }, () => put(use(), content)))
    expect(reader && String(await buffer(reader.content))).toBe(content)
    expect(String(await read(use(), nameOf(content)))).toBe(content)
  })

  it('lets a reader go before the end, or before the start', async () => {
    const content = 'y'.repeat(900_000)
    await put(use(), content)
    const half = await use().get(session, nameOf(content))
    for await (const chunk of half?.content ?? []) {
      expect(chunk.length).toBeGreaterThan(0)
      break
    }
    expect(half?.content.destroyed).toBe(true)
    const unread = await use().get(session, nameOf(content))
    const closed = unread && once(unread.content, 'close')
    unread?.content.destroy()
    await closed
    expect(String(await read(use(), nameOf(content)))).toBe(content)
  })

  it('has nothing under a name that was never put', async () => {
    expect(await use().get(session, nameOf('never'))).toBeUndefined()
    await put(use(), 'a')
    expect(await use().get(other, nameOf('a'))).toBeUndefined()
  })
}

const refusalCases = (use: () => BlobStore) => {
  it('refuses content of another hash, and keeps nothing of it', async () => {
    const blob = nameOf('right')
    expect(await codeOf(use().put(session, { blob: blob, content: streamOf('wrong'), maxBytes }))).toBe(
      'invalid_input',
    )
    expect(await use().get(session, blob)).toBeUndefined()
  })

  it('does not let wrong content replace the right one', async () => {
    await put(use(), 'right')
    await codeOf(use().put(session, { blob: nameOf('right'), content: streamOf('wrong'), maxBytes }))
    expect(String(await read(use(), nameOf('right')))).toBe('right')
  })

  it('refuses what is too large as soon as it is, and reads no further', async () => {
    let read = 0
    const endless = Readable.from(
      (async function* () {
        for (;;) {
          read++
          yield Buffer.alloc(1000)
        }
      })(),
    )
    expect(await codeOf(use().put(session, { blob: nameOf('x'), content: endless, maxBytes: 10_000 }))).toBe(
      'too_large',
    )
    expect(endless.destroyed).toBe(true)
    expect(read).toBeLessThan(1000)
    expect(
      await codeOf(use().put(session, { blob: nameOf('abc'), content: streamOf('abc'), maxBytes: 3 })),
    ).toBe('fulfilled')
  })

  it('keeps nothing of an upload that breaks off', async () => {
    const broken = Readable.from(
      (async function* () {
        yield Buffer.from('some')
        throw new Error('connection lost')
      })(),
    )
    const blob = nameOf('some')
    expect(await codeOf(use().put(session, { blob: blob, content: broken, maxBytes }))).toContain(
      'connection lost',
    )
    expect(await use().get(session, blob)).toBeUndefined()
  })

  it('keeps nothing of an upload whose sender has gone before it began', async () => {
    const gone = new PassThrough()
    const blob = nameOf('gone')
    const putting = codeOf(use().put(session, { blob, content: gone, maxBytes }))
    gone.destroy(new Error('connection lost'))
    expect(await putting).toContain('connection lost')
    expect(await use().get(session, blob)).toBeUndefined()
  })

  it.each(['', '..', '../x', 'x', 'A'.repeat(64), `${'a'.repeat(63)}/`, `../${'a'.repeat(61)}`])(
    'refuses the blob name %j',
    async (blob) => {
      expect(await codeOf(use().put(session, { blob: blob, content: streamOf('x'), maxBytes }))).toBe(
        'invalid_input',
      )
      expect(await codeOf(use().get(session, blob))).toBe('invalid_input')
    },
  )

  it.each(['', '.', '..', '../x', 'a/b', '.incoming', 'a\0b'])('refuses the session %j', async (of) => {
    expect(await codeOf(use().put(of, { blob: nameOf('x'), content: streamOf('x'), maxBytes }))).toBe(
      'invalid_input',
    )
    expect(await codeOf(use().get(of, nameOf('x')))).toBe('invalid_input')
    expect(await codeOf(use().removeAll(of))).toBe('invalid_input')
  })
}

const copyCases = (use: () => BlobStore) => {
  it('puts a blob into another session, where it stays when it is gone here', async () => {
    const blob = nameOf('shared')
    await put(use(), 'shared')
    expect(await use().copy(session, blob, other)).toBe(true)
    expect(await use().copy(session, blob, other)).toBe(true)
    await use().removeAll(session)
    expect(String(await read(use(), blob, other))).toBe('shared')
    expect(await use().copy(other, blob, session)).toBe(true)
    await put(use(), 'shared', other)
    await use().removeAll(other)
    expect(String(await read(use(), blob))).toBe('shared')
  })

  it('copies many at once, and nothing of what is not there', async () => {
    await put(use(), 'shared')
    const copies = Array.from({ length: 10 }, () => use().copy(session, nameOf('shared'), other))
    expect(await Promise.all(copies)).toEqual(Array.from({ length: 10 }, () => true))
    expect(await use().copy(session, nameOf('never'), other)).toBe(false)
    expect(await use().get(other, nameOf('never'))).toBeUndefined()
  })

  it('takes a copy onto itself', async () => {
    await put(use(), 'same')
    expect(await use().copy(session, nameOf('same'), session)).toBe(true)
    expect(String(await read(use(), nameOf('same')))).toBe('same')
    expect(await use().copy(session, nameOf('never'), session)).toBe(false)
  })

  it('refuses names that are none', async () => {
    for (const [from, blob, to] of [
      ['..', nameOf('x'), other],
      [session, 'x', other],
      [session, nameOf('x'), 'a/b'],
    ] as const)
      expect(await codeOf(use().copy(from, blob, to))).toBe('invalid_input')
  })
}

const removalCases = (use: () => BlobStore) => {
  it('removes one blob and no other, also when it is not there', async () => {
    await put(use(), 'a')
    await put(use(), 'b')
    await put(use(), 'a', other)
    await use().remove(session, nameOf('a'))
    await use().remove(session, nameOf('a'))
    expect(await use().get(session, nameOf('a'))).toBeUndefined()
    expect(String(await read(use(), nameOf('b')))).toBe('b')
    expect(String(await read(use(), nameOf('a'), other))).toBe('a')
    expect(await codeOf(use().remove(session, '../x'))).toBe('invalid_input')
  })
}

/** Puts many, a few at a time. */
const putMany = async (blobs: BlobStore, all: { content: string; of: string }[]) => {
  const left = all.values()
  const work = async () => {
    for (const { content, of } of left) await put(blobs, content, of)
  }
  await Promise.all(Array.from({ length: 16 }, work))
}

const numerousCases = (use: () => BlobHarness) => {
  const numbers = () => Array.from({ length: use().many ?? 50 }, (_, index) => String(index))

  it('removes a session with more blobs than are listed at once', async () => {
    const { blobs } = use()
    await putMany(
      blobs,
      numbers().map((content) => ({ content, of: session })),
    )
    await put(blobs, 'a', other)
    await blobs.removeAll(session)
    const left = await Promise.all(numbers().map((content) => blobs.get(session, nameOf(content))))
    expect(left.filter((found) => found !== undefined)).toEqual([])
    expect(await sessionsOf(blobs)).toEqual([other])
  })

  it('names more sessions than are listed at once, each once', async () => {
    const { blobs } = use()
    const names = numbers().map((number) => `ses_${number.padStart(26, '0')}`)
    await putMany(
      blobs,
      names.map((of) => ({ content: 'a', of })),
    )
    expect(await sessionsOf(blobs)).toEqual(names)
  })
}

const sessionCases = (use: () => BlobStore) => {
  it('names the sessions that have blobs', async () => {
    expect(await sessionsOf(use())).toEqual([])
    await put(use(), 'a')
    await put(use(), 'b')
    await put(use(), 'a', other)
    expect(await sessionsOf(use())).toEqual([session, other])
  })

  it('removes everything of a session and nothing of others, also when there is nothing', async () => {
    await put(use(), 'a')
    await put(use(), 'a', other)
    await use().removeAll(session)
    await use().removeAll(session)
    expect(await use().get(session, nameOf('a'))).toBeUndefined()
    expect(await sessionsOf(use())).toEqual([other])
    expect(String(await read(use(), nameOf('a'), other))).toBe('a')
    await put(use(), 'a')
    expect(await sessionsOf(use())).toEqual([session, other])
  })
}
