import { appendFileSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseJournal, toLine } from './entry.ts'
import { type Outbox, type OutboxOptions, openOutbox, takeBatch } from './outbox.ts'
import { openSpool } from './spool.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'berth-outbox-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const notice = (message: string) => ({ type: 'runner.notice', data: { level: 'info', message } }) as const
const messages = (entries: readonly { fact: string }[]) =>
  entries.map(({ fact }) => JSON.parse(fact).data.message)

const opened: Outbox[] = []
afterEach(async () => {
  for (const outbox of opened.splice(0)) await outbox.close()
})

const open = async (more: Partial<OutboxOptions> = {}) => {
  const spool = await openSpool(join(directory, 'blobs'))
  const failures: Error[] = []
  const outbox = await openOutbox({
    path: join(directory, '1.jsonl'),
    generation: 1,
    acknowledged: 0,
    spool,
    now: () => new Date(0),
    onDiskFailure: (error) => failures.push(error),
    ...more,
  })
  opened.push(outbox)
  return { outbox, spool, failures }
}

describe('the outbox', () => {
  it('numbers facts and gives them until they are acknowledged', async () => {
    const { outbox } = await open()
    expect([outbox.append(notice('a')), outbox.append(notice('b')), outbox.append(notice('c'))]).toEqual([
      1, 2, 3,
    ])
    expect(messages(outbox.batch())).toEqual(['a', 'b', 'c'])
    expect(messages(outbox.batch(1))).toEqual(['a'])
    outbox.acknowledge(2)
    expect(messages(outbox.batch())).toEqual(['c'])
    expect(outbox.acknowledged).toBe(2)
    await outbox.close()
  })

  it('goes on after the last number that the backend has', async () => {
    const { outbox } = await open({ acknowledged: 41 })
    expect(outbox.append(notice('a'))).toBe(42)
    await outbox.close()
  })

  it('has the rest again when it is opened anew', async () => {
    const { outbox } = await open()
    for (const text of ['a', 'b', 'c']) outbox.append(notice(text))
    await outbox.close()
    const again = await open({ acknowledged: 1 })
    expect(messages(again.outbox.batch())).toEqual(['b', 'c'])
    expect(again.outbox.append(notice('d'))).toBe(4)
    await again.outbox.close()
  })

  it('drops a torn last line and what can’t follow', async () => {
    const { outbox } = await open()
    outbox.append(notice('a'))
    await outbox.close()
    appendFileSync(join(directory, '1.jsonl'), '{"n":2,"blobs":[],"fact":{"n":2,"at":"19')
    expect(messages((await open()).outbox.batch())).toEqual(['a'])
    expect(messages((await open({ acknowledged: 5 })).outbox.batch())).toEqual([])
  })

  it('leaves out facts that begin after a hole', async () => {
    writeFileSync(join(directory, '1.jsonl'), `${toLine({ n: 7, blobs: [], fact: '{"n":7}' })}\n`)
    const { outbox } = await open({ acknowledged: 3 })
    expect(outbox.batch()).toEqual([])
    await outbox.close()
  })

  it('shrinks its file as facts are acknowledged', async () => {
    const { outbox } = await open()
    const text = 'x'.repeat(10_000)
    for (let n = 1; n <= 300; n++) outbox.append(notice(text))
    await expect.poll(() => statSync(join(directory, '1.jsonl')).size).toBeGreaterThan(3_000_000)
    outbox.acknowledge(299)
    await outbox.close()
    expect(statSync(join(directory, '1.jsonl')).size).toBeLessThan(50_000)
    expect(messages((await open({ acknowledged: 299 })).outbox.batch())).toEqual([text])
  })

  it('makes the reader of the agent wait when it is full', async () => {
    const { outbox } = await open({ capacity: 1000 })
    let waited = false
    outbox.append(notice('x'.repeat(2000)))
    const room = outbox.room().then(() => {
      waited = true
    })
    await new Promise(setImmediate)
    expect(waited).toBe(false)
    outbox.acknowledge(1)
    await room
    await outbox.close()
  })

  it('keeps facts in memory while the disk refuses, and tells once', async () => {
    const { outbox, failures } = await open({ path: '/dev/full' })
    for (let n = 0; n < 3; n++) outbox.append(notice(String(n)))
    await expect.poll(() => failures.length).toBe(1)
    expect(outbox.batch()).toHaveLength(3)
    outbox.acknowledge(3)
    await outbox.close()
    expect(failures).toHaveLength(1)
  })

  it('removes blobs with the last fact that needs them', async () => {
    const { outbox, spool } = await open()
    const { blob } = await spool.put(Buffer.from('long'))
    outbox.append(notice('a'), [blob])
    outbox.append(notice('b'), [blob])
    outbox.acknowledge(1)
    expect(await spool.get(blob)).toEqual(Buffer.from('long'))
    outbox.acknowledge(2)
    await expect.poll(() => readdirSync(join(directory, 'blobs'))).toEqual([])
    await outbox.close()
  })
})

const anyEntries = fc.array(fc.string({ unit: 'binary' }), { maxLength: 30 }).map((items) =>
  items.map((text, index) => {
    const n = index + 1
    return { n, blobs: [], fact: JSON.stringify({ n, text }) }
  }),
)

describe('the journal', () => {
  it('is read as it was written, up to any cut', () => {
    fc.assert(
      fc.property(anyEntries, fc.double({ min: 0, max: 1, noNaN: true }), (entries, part) => {
        const bytes = Buffer.from(entries.map((entry) => `${toLine(entry)}\n`).join(''))
        const cut = bytes.subarray(0, Math.floor(bytes.length * part)).toString('utf8')
        const read = parseJournal(cut)
        expect(read).toEqual(entries.slice(0, read.length))
        expect(read.length).toBeGreaterThanOrEqual(cut.split('\n').length - 1)
      }),
    )
  })

  it('is read even when it is nonsense', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseJournal(text)))
  })
})

it('fills a batch up to its limits, with one fact at least', () => {
  const entry = (n: number, length: number) => ({ n, blobs: [], fact: 'x'.repeat(length) })
  const mega = 1024 * 1024
  expect(takeBatch([entry(1, 5 * mega), entry(2, 1)], 500)).toHaveLength(1)
  expect(takeBatch([entry(1, mega), entry(2, mega), entry(3, 1)], 500)).toHaveLength(2)
  expect(takeBatch([entry(1, 1), entry(2, 1), entry(3, 1)], 2)).toHaveLength(2)
  expect(takeBatch([], 500)).toHaveLength(0)
})
