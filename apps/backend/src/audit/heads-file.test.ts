import { mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AuditHead } from '@berth/contract'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { auditDraft, sealerOptions } from '../store/conformance/audit-parts.ts'
import type { Store } from '../store/port.ts'
import { createSqliteStore } from '../store/sqlite/sqlite-store.ts'
import { eventually } from '../test-backend.ts'
import { Sealer } from './sealer.ts'
import { verifyAudit } from './verify.ts'

let directory: string
let store: Store
let file: string
let log: string[]

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-heads-'))
  store = await createSqliteStore({ file: join(directory, 'berth.db') })
  file = join(directory, 'heads.jsonl')
  log = []
})
afterEach(async () => {
  await store.close()
  await rm(directory, { recursive: true, force: true })
})

const options = () => ({
  ...sealerOptions(store),
  headsFile: file,
  log: pino({}, { write: (line: string) => void log.push(line) }),
})

/** A backend’s sealer, until something has come about. */
const sealing = async <T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> => {
  const sealer = new Sealer(options())
  sealer.start()
  try {
    return await eventually(what, look)
  } finally {
    await sealer.close()
  }
}

const written = async (): Promise<AuditHead[]> =>
  (await readFile(file, 'utf8').catch(() => ''))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
const stored = async () => (await store.auditHeads({ limit: 10 })).items.toReversed()

it('[P159] a signed head is appended to the file, also by the next backend, and the chain is checked with all of them', async () => {
  for (const count of [1, 2, 3]) {
    await store.recordAudit(auditDraft(`deed ${count}`))
    await sealing(`head ${count}`, async () => (await written()).length === count)
  }
  const heads = await written()
  expect(heads.map(({ number }) => number)).toEqual([1, 2, 3])
  expect(heads).toEqual(await stored())
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect(await verifyAudit(sealerOptions(store), heads)).toMatchObject({ ok: true, entries: 3, heads: 6 })
  // With nothing new there is no other head.
  await sealing('it looked again', async () => (await store.auditChain()).unsealed === 0)
  expect(await written()).toHaveLength(3)
})

it('[P159] a file that can’t be written is told of, and the audit is sealed on', async () => {
  await mkdir(file)
  await store.recordAudit(auditDraft('first'))
  const sealer = new Sealer(options())
  sealer.start()
  try {
    const line = await eventually('it is told of', () =>
      log.find((text) => text.includes('was not written to its file')),
    )
    expect(JSON.parse(line)).toMatchObject({ level: 50, file, err: { code: 'EISDIR' } })
    expect((await stored()).map(({ number }) => number)).toEqual([1])
    await store.recordAudit(auditDraft('second'))
    await eventually('it is sealed', async () => (await store.auditChain()).tip.number === 2)
  } finally {
    await sealer.close()
  }
  // The next backend finds it writable again: what is new is appended, and what is not there is in the store.
  await rm(file, { recursive: true })
  await sealing('a head is written', async () => (await written()).length === 1)
  expect(await written()).toEqual((await stored()).slice(-1))
})
