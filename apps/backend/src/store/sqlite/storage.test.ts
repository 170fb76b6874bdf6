import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  Bench,
  blockFacts,
  codeOf,
  newId,
  notice,
  promptCommand,
  remove,
  startOfTime,
  stop,
} from '../conformance/harness.ts'
import { temporaryDirectory } from './fixtures/temporary-directory.ts'
import { createSqliteStore, type SqliteStoreOptions } from './sqlite-store.ts'

const makeBench = async (options: Omit<SqliteStoreOptions, 'file'> = {}) => {
  const file = join(await temporaryDirectory(), 'berth.db')
  const store = await createSqliteStore({ file, ...options })
  onTestFinished(() => store.close())
  const opener = { module: '', name: '', options: undefined }
  const bench = new Bench(store, opener)
  await bench.newProject('p')
  return { bench, store, file }
}

const large = () => [notice('x'.repeat(3000)), ...Array.from({ length: 99 }, () => notice('y'.repeat(3000)))]

describe('when the disk is full', () => {
  it('refuses what does not fit as a whole, keeps the rest, and goes on when there is space', async () => {
    const { bench, store } = await makeBench({ maxBytes: 3_000_000 })
    const filler = await bench.liveSession()
    let n = 3
    const append = async () => {
      await bench.facts(filler, n, large())
      n += 100
    }
    let code = 'fulfilled'
    while (code === 'fulfilled') code = await codeOf(append())
    expect(code).toBe('storage_full')
    expect(n).toBeGreaterThan(300)
    expect((await bench.events(filler)).length).toBe(n + 1)
    expect((await store.state(filler))?.n).toBe(n - 1)

    const small = await bench.session()
    const group = [
      bench.append(small, promptCommand()),
      append(),
      bench.append(small, promptCommand()),
      append(),
    ]
    expect(await Promise.all(group.map(codeOf))).toEqual([
      ...['fulfilled', 'storage_full', 'fulfilled', 'storage_full'],
    ])
    expect((await bench.events(small)).map(({ seq }) => seq)).toEqual([1, 2, 3])

    await bench.append(filler, stop)
    await bench.append(filler, remove())
    await store.purge(filler, startOfTime)
    const next = await bench.liveSession()
    await bench.facts(next, 3, large())
    expect(await bench.events(next)).toHaveLength(104)
  })
})

it('decides right when nothing fits into the cache', async () => {
  const { bench } = await makeBench({ cachedSessions: 1, cachedBytes: 1 })
  const sessions = await Promise.all([bench.liveSession(), bench.liveSession(), bench.liveSession()])
  await Promise.all(
    Array.from({ length: 60 }, (_, index) => bench.append(sessions[index % 3] ?? '', promptCommand())),
  )
  for (const session of sessions) expect(await bench.events(session)).toHaveLength(25)
})

it('holds no snapshot while a reader stands in the middle of a log', async () => {
  const { bench, store, file } = await makeBench()
  const session = await bench.liveSession()
  await bench.facts(session, 3, blockFacts(newId('block'), Array(50).fill('text'), 'completed'))
  expect(await store.events(session, { after: 0, limit: 1000, maxBytes: 1 })).toHaveLength(1)
  const other = new DatabaseSync(file)
  onTestFinished(() => other.close())
  await bench.facts(session, 55, [notice('more')])
  expect(other.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()).toMatchObject({ busy: 0 })
})

it('finishes a purge that a crash cut short', async () => {
  const { bench, store, file } = await makeBench()
  const session = await bench.session()
  await bench.append(session, remove())
  const other = new DatabaseSync(file)
  const count = () => other.prepare('SELECT count(*) AS count FROM events').get()?.count
  expect(count()).toBe(2)
  other.exec('INSERT INTO purges SELECT number FROM sessions; DELETE FROM sessions')
  await store.close()
  await (await createSqliteStore({ file })).close()
  expect(count()).toBe(0)
  other.close()
})

it('lets nobody wait for the leases of a process that was killed', async () => {
  const { store, file } = await makeBench()
  expect(await store.lease('session:x', 'killed', 60_000)).toBe(true)
  expect(await store.lease('session:x', 'next', 60_000)).toBe(false)
  await store.close()
  const next = await createSqliteStore({ file })
  onTestFinished(() => next.close())
  expect(await next.lease('session:x', 'next', 60_000)).toBe(true)
})
