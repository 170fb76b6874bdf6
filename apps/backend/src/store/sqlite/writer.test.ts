import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { codeOf } from '../conformance/harness.ts'
import { openWriter } from './connection.ts'
import { temporaryDirectory } from './fixtures/temporary-directory.ts'
import { migrate } from './migrate.ts'
import { Writer } from './writer.ts'

const makeWriter = async () => {
  const file = join(await temporaryDirectory(), 'berth.db')
  const database = openWriter(file)
  migrate(database, file)
  database.close()
  const data = { file, maxBytes: undefined, cachedSessions: 10, cachedBytes: 1e6 }
  const writer = new Writer(data, { now: Date.now, onNotice: () => undefined })
  onTestFinished(() => writer.close())
  await writer.ready()
  return writer
}

it('rejects what waits, and everything after, when its thread ends', async () => {
  const writer = await makeWriter()
  // Its thread is idle now: to end one inside a call of SQLite's would end the whole process.
  const ended = writer.terminate()
  const waiting = Array.from({ length: 3 }, () => codeOf(writer.run('ping', undefined)))
  await ended
  const codes = await Promise.all(waiting)
  for (const code of codes) expect(['fulfilled', 'unavailable']).toContain(code)
  expect(await codeOf(writer.run('ping', undefined))).toBe('unavailable')
  await expect(writer.run('ping', undefined)).rejects.toThrow(/writer ended.*Restart the backend/)
})

it('refuses more when too much waits, and recovers', async () => {
  const writer = await makeWriter()
  const codes = await Promise.all(Array.from({ length: 10_100 }, () => codeOf(writer.run('ping', undefined))))
  expect(codes.filter((code) => code === 'unavailable')).toHaveLength(100)
  await writer.run('ping', undefined)
})

it('answers a fault of its own with the fault, and goes on', async () => {
  const writer = await makeWriter()
  const broken = writer.run('heartbeat', { session: {} as never, generation: 1, now: 1 })
  await expect(broken).rejects.toThrow(/cannot be bound/)
  await writer.run('ping', undefined)
})

it('rejects when the database cannot be opened', async () => {
  const file = join(await temporaryDirectory(), 'missing', 'berth.db')
  const data = { file, maxBytes: undefined, cachedSessions: 10, cachedBytes: 1e6 }
  const writer = new Writer(data, { now: Date.now, onNotice: () => undefined })
  await expect(writer.ready()).rejects.toThrow(/unable to open/)
  expect(await codeOf(writer.run('ping', undefined))).toBe('unavailable')
  await writer.close()
})
