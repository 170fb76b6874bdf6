import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { AuditHead } from '@berth/contract'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { auditDraft, sealerOptions, testKeys } from '../store/conformance/audit-parts.ts'
import type { Store } from '../store/port.ts'
import { createSqliteStore } from '../store/sqlite/sqlite-store.ts'
import { ChainKeys } from './chain-keys.ts'
import { Sealer } from './sealer.ts'
import { verifyAudit } from './verify.ts'

let directory: string
let store: Store
let heads: AuditHead[]

/** A chain of six entries with a stored head at the fourth, and heads kept elsewhere of the second and the last. */
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-audit-'))
  store = await createSqliteStore({ file: join(directory, 'berth.db') })
  const options = sealerOptions(store)
  const sealer = new Sealer(options)
  heads = []
  for (let number = 1; number <= 6; number++) {
    const more = { details: { number }, project: 'p', code: 'c', object: { kind: 'k', id: 'o' } }
    await store.recordAudit(auditDraft(`deed ${number}`, more))
    await sealer.seal()
    const head = options.keys.head((await store.auditChain()).tip, Date.UTC(2030, 0, 1))
    if (number === 4) await store.addAuditHead(head)
    if (number === 2 || number === 6) heads.push(head)
  }
})

afterEach(async () => {
  await store.close()
  await rm(directory, { recursive: true, force: true })
})

/** Does to the database what somebody with its password could do. */
const tamper = (statements: string) => {
  const database = new DatabaseSync(join(directory, 'berth.db'))
  database.exec(statements)
  database.close()
}

const verify = (kept: readonly AuditHead[] = [], ...keys: string[]) =>
  verifyAudit({ ...sealerOptions(store), keys: new ChainKeys(testKeys(...(keys[0] ? keys : ['k1']))) }, kept)

it('[P166] finds nothing wrong with a chain that nobody touched, also with heads kept elsewhere', async () => {
  expect(await verify(heads)).toMatchObject({
    ok: true,
    first: 1,
    last: 6,
    entries: 6,
    heads: 3,
    unchecked: 0,
  })
})

it.each([
  ['actor_id', "'mallory'"],
  ['actor_kind', "'key'"],
  ['actor_name', "'Ada'"],
  ['action', "'other'"],
  ['project', "'q'"],
  ['session', "'ses_1'"],
  ['object_id', "'other'"],
  ['object_kind', 'NULL'],
  ['result', "'refused'"],
  ['code', 'NULL'],
  ['details', `'{"number":4}'`],
  ['details', "'not json'"],
  ['at', 'at + 1'],
  ['id', "'aud_other'"],
  ['address', "'10.0.0.1'"],
  ['request_id', "'r'"],
])('[P166] finds an entry whose %s somebody changed to %s', async (column, value) => {
  tamper(`UPDATE audit SET ${column} = ${value} WHERE number = 3`)
  expect(await verify()).toMatchObject({ ok: false, last: 2, problem: { number: 3, kind: 'changed' } })
})

it.each([
  ['removed', 'DELETE FROM audit WHERE number = 3', 3, 'missing'],
  ['unsealed', 'UPDATE audit SET number = NULL WHERE number = 3', 3, 'missing'],
  ['removed at the beginning', 'DELETE FROM audit WHERE number = 1', 1, 'missing'],
  ['removed at the end', 'DELETE FROM audit WHERE number = 6', 6, 'missing'],
  [
    'exchanged',
    'UPDATE audit SET number = 99 WHERE number = 2; UPDATE audit SET number = 2 WHERE number = 3; UPDATE audit SET number = 3 WHERE number = 99',
    2,
    'unlinked',
  ],
  ['sealed by hand', `UPDATE audit SET seal = '${'ab'.repeat(32)}' WHERE number = 5`, 5, 'seal'],
  ['given a seal that is none', "UPDATE audit SET seal = 'x' WHERE number = 5", 5, 'seal'],
  ['linked elsewhere', `UPDATE audit SET previous = '${'ab'.repeat(32)}' WHERE number = 5`, 5, 'unlinked'],
  ['given another head', `UPDATE audit_heads SET digest = '${'ab'.repeat(32)}'`, 4, 'head'],
  [
    'cut, with its end',
    'DELETE FROM audit WHERE number > 3; UPDATE audit_chain SET number = 3',
    3,
    'truncated',
  ],
  [
    'cut, with its end and digest',
    'DELETE FROM audit WHERE number > 3; UPDATE audit_chain SET number = 3, digest = (SELECT digest FROM audit WHERE number = 3)',
    4,
    'truncated',
  ],
  [
    'cut at the beginning, with an anchor',
    "DELETE FROM audit WHERE number < 3; INSERT INTO audit_chain SELECT 'anchor', 2, previous, 1, 'k1', 'AAAA' FROM audit WHERE number = 3",
    2,
    'anchor',
  ],
])('[P166] finds entries that were %s', async (_, statements, number, kind) => {
  tamper(statements)
  expect(await verify()).toMatchObject({ ok: false, problem: { number, kind } })
})

it('[P166] finds a chain that was cut or made anew with everything that the database knows, by heads kept elsewhere', async () => {
  tamper(
    'DELETE FROM audit WHERE number > 3; DELETE FROM audit_heads; UPDATE audit_chain SET number = 3, digest = (SELECT digest FROM audit WHERE number = 3)',
  )
  expect(await verify()).toMatchObject({ ok: true, last: 3 })
  expect(await verify(heads)).toMatchObject({
    ok: false,
    heads: 1,
    problem: { number: 4, kind: 'truncated' },
  })
  tamper('DELETE FROM audit; DELETE FROM audit_chain')
  await new Sealer(sealerOptions(store)).seal()
  await store.recordAudit(auditDraft('another history'))
  await store.recordAudit(auditDraft('of as many'))
  await new Sealer(sealerOptions(store)).seal()
  expect(await verify(heads)).toMatchObject({ ok: false, problem: { number: 2, kind: 'head' } })
})

it('[P166] takes no head from elsewhere that Berth did not sign', async () => {
  const forged = heads.map((head) => ({ ...head, at: new Date(0).toISOString() }))
  expect(await verify(forged)).toMatchObject({ ok: false, problem: { kind: 'head' } })
})

it('[P167] goes on with another key, and says what can’t be checked once the old one is gone', async () => {
  const rotated = sealerOptions(store, testKeys('k1', 'k2'))
  await store.recordAudit(auditDraft('after the rotation'))
  await new Sealer(rotated).seal()
  expect(await verify(heads, 'k1', 'k2')).toMatchObject({ ok: true, entries: 7, unchecked: 0 })
  const without = await verify(heads, 'k2')
  // Six seals, and the stored head and the two given ones.
  expect(without).toMatchObject({ ok: true, entries: 7, unchecked: 9 })
  tamper("UPDATE audit SET action = 'other' WHERE number = 3")
  expect(await verify([], 'k2')).toMatchObject({ ok: false, problem: { number: 3, kind: 'changed' } })
})
