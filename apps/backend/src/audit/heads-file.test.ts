import { appendFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { AuditHead } from '@berth/contract'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
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

const lines = async () =>
  (await readFile(file, 'utf8').catch(() => '')).split('\n').filter((line) => line !== '')
const written = async (): Promise<AuditHead[]> => (await lines()).map((line) => JSON.parse(line))
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
      log.find((text) => text.includes('were not written to their file')),
    )
    expect(JSON.parse(line)).toMatchObject({ level: 50, file, err: { code: 'EISDIR' } })
    expect((await stored()).map(({ number }) => number)).toEqual([1])
    await store.recordAudit(auditDraft('second'))
    await eventually('it is sealed', async () => (await store.auditChain()).tip.number === 2)
  } finally {
    await sealer.close()
  }
  // The next backend finds it writable again, and makes good what is not there.
  await rm(file, { recursive: true })
  await sealing('the heads are written', async () => (await written()).length === 2)
  expect(await written()).toEqual(await stored())
})

describe('[P159] heads that are in the store and not in the file', () => {
  /** As a sealer whose process dies once the store has its head, and before the file has it. */
  const dyingAfterHead = async () => {
    const { keys } = options()
    await new Sealer(options()).seal()
    await store.addAuditHead(keys.head((await store.auditChain()).tip, Date.UTC(2030, 0, 1)))
  }

  it('are written by the next backend, though there is nothing new', async () => {
    await store.recordAudit(auditDraft('first'))
    await sealing('the first head', async () => (await written()).length === 1)
    for (const name of ['second', 'third']) {
      await store.recordAudit(auditDraft(name))
      await dyingAfterHead()
    }
    expect(await written()).toHaveLength(1)
    await sealing('all heads', async () => (await written()).length === 3)
    expect(await written()).toEqual(await stored())
    expect(await verifyAudit(sealerOptions(store), await written())).toMatchObject({ ok: true, heads: 6 })
  })

  it('are written in front of a new one, also where a line was cut short', async () => {
    await store.recordAudit(auditDraft('first'))
    await sealing('the first head', async () => (await written()).length === 1)
    await store.recordAudit(auditDraft('second'))
    await dyingAfterHead()
    await appendFile(file, JSON.stringify((await stored()).at(-1)).slice(0, 40))
    await store.recordAudit(auditDraft('third'))
    await sealing('all heads', async () => (await stored()).length === 3 && (await lines()).length === 3)
    expect(await written()).toEqual(await stored())
  })

  it('are left out when Berth did not sign them', async () => {
    await store.recordAudit(auditDraft('first'))
    await new Sealer(options()).seal()
    const { tip } = await store.auditChain()
    const { keys } = sealerOptions(store)
    await store.addAuditHead({ ...keys.head(tip, 0), at: new Date(1).toISOString() })
    await sealing('it is told of', async () => log.some((line) => line.includes('did not sign')))
    expect(await written()).toEqual([])
  })
})

it('[P159] a new head is kept though it is lower than the last one that was kept: somebody has cut the chain', async () => {
  for (const count of [1, 2]) {
    await store.recordAudit(auditDraft(`deed ${count}`))
    await sealing(`head ${count}`, async () => (await written()).length === count)
  }
  const database = new DatabaseSync(join(directory, 'berth.db'))
  database.exec('DELETE FROM audit; DELETE FROM audit_heads; DELETE FROM audit_chain')
  database.close()
  await store.recordAudit(auditDraft('another history'))
  await sealing('its head', async () => (await written()).length === 3)
  expect((await written()).map(({ number }) => number)).toEqual([1, 2, 1])
  expect(await verifyAudit(sealerOptions(store), await written())).toMatchObject({ ok: false })
})

it('[P159] nothing is added to a file that is not one of heads', async () => {
  await writeFile(file, 'a diary\n')
  await store.recordAudit(auditDraft('first'))
  await sealing('it is told of', async () => log.some((line) => line.includes('it is another file')))
  expect(await readFile(file, 'utf8')).toBe('a diary\n')
})
