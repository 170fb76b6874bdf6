import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { removeExpired } from '../../audit/retention.ts'
import { Sealer } from '../../audit/sealer.ts'
import { verifyAudit } from '../../audit/verify.ts'
import type { AuditFilter } from '../audit-store.ts'
import type { Store } from '../port.ts'
import { auditDraft, sealerOptions } from './audit-parts.ts'
import {
  type Bench,
  codeOf,
  createCommand,
  type MakeStore,
  newId,
  openStore,
  startOfTime,
  stop,
} from './harness.ts'

const loop = fileURLToPath(new URL('./audit-loop.ts', import.meta.url))

const all = async (store: Store, filter: AuditFilter = {}) =>
  (await store.auditList(filter, { limit: 10_000 })).items

const actions = async (store: Store) => (await all(store)).map(({ action }) => action).reverse()

export const auditCases = (bench: () => Bench, makeStore: MakeStore) => {
  it('records an append in its transaction, and nothing of one that is refused, replayed or without effect', async () => {
    const { store, project } = bench()
    const session = newId('session')
    const create = createCommand(session, { project })
    const idempotency = { scope: 's', key: 'k', hash: 'h' }
    await bench().append(session, create, { idempotency, audit: auditDraft('first') })
    await bench().append(session, create, { idempotency, audit: auditDraft('replayed') })
    const refused = bench().append(session, create, { audit: auditDraft('refused') })
    expect(await codeOf(refused)).not.toBe('fulfilled')
    await bench().append(session, stop, { audit: auditDraft('stopped') })
    await bench().append(session, stop, { audit: auditDraft('stopped again') })
    expect(await actions(store)).toEqual(['first', 'stopped'])
    expect((await all(store))[1]).toMatchObject({
      project,
      session,
      object: { kind: 'session', id: session },
      actor: { kind: 'user', id: 'ada' },
      result: 'done',
      at: new Date(startOfTime).toISOString(),
    })
  })

  it('records appends that share a transaction each for itself', async () => {
    const { store } = bench()
    const session = await bench().session()
    const appends = Array.from({ length: 30 }, (_, n) =>
      bench().append(n % 3 === 0 ? newId('session') : session, n % 3 === 1 ? stop : unknown, {
        audit: auditDraft(`append ${n}`),
      }),
    )
    const outcomes = await Promise.allSettled(appends)
    const done = outcomes.flatMap((outcome, n) =>
      outcome.status === 'fulfilled' && outcome.value.lines.length > 0 ? [`append ${n}`] : [],
    )
    expect(done.length).toBeGreaterThan(0)
    expect(new Set(await actions(store))).toEqual(new Set(done))
  })

  it('gives a store whose changes carry an entry, once, and only if they succeed', async () => {
    const { store } = bench()
    const project = { displayName: 'X', description: '', settings: {}, now: startOfTime }
    await store.audited(auditDraft('made')).createProject({ name: 'x', ...project })
    const again = store.audited(auditDraft('made again')).createProject({ name: 'x', ...project })
    expect(await codeOf(again)).toBe('project_exists')
    const twice = store.audited(auditDraft('twice'))
    await twice.lease('one', 'a', 1)
    await twice.lease('two', 'a', 1)
    const entry = { ...auditDraft('alone'), id: 'aud_1' }
    await store.recordAudit(entry)
    await store.recordAudit(entry)
    expect(await actions(store)).toEqual(['made', 'twice', 'alone'])
  })

  it('lists by every filter, newest first, page after page', async () => {
    const { store } = bench()
    const other = { kind: 'key', id: 'key_1', name: 'CI\0\ud800' } as const
    await store.recordAudit(
      auditDraft('secret.used', { project: 'a', object: { kind: 'secret', id: 'npm' } }),
    )
    await store.recordAudit(auditDraft('secret.made', { project: 'b', actor: other, at: startOfTime + 1 }))
    await store.recordAudit(
      auditDraft('secrets', { result: 'refused', code: 'forbidden', details: { n: 1 } }),
    )
    const found = async (filter: AuditFilter) => (await all(store, filter)).map(({ action }) => action)
    expect(await found({ project: 'a' })).toEqual(['secret.used'])
    expect(await found({ actor: 'key_1' })).toEqual(['secret.made'])
    expect(await found({ action: 'secret.*' })).toEqual(['secret.made', 'secret.used'])
    expect(await found({ action: 'secret.used', result: 'done', object: 'npm' })).toEqual(['secret.used'])
    expect(await found({ result: 'refused' })).toEqual(['secrets'])
    expect(await found({ from: startOfTime + 1 })).toEqual(['secret.made'])
    expect(await found({ to: startOfTime + 1, project: 'b' })).toEqual([])
    const first = await store.auditList({}, { limit: 2 })
    const second = await store.auditList({}, { limit: 2, cursor: first.next })
    expect([first.items.length, second.items.length, second.next]).toEqual([2, 1, undefined])
    expect(first.items[0]).toMatchObject({ code: 'forbidden', details: { n: 1 } })
    expect(second.items[0]?.sealed).toBeUndefined()
    expect(await codeOf(store.auditList({}, { limit: 1, cursor: 'x' }))).toBe('invalid_cursor')
  })

  it('[P166] seals what concurrent writers record once each, without gaps, whoever seals at the same time', async () => {
    const { store } = bench()
    const options = sealerOptions(store)
    const sealers = [new Sealer(options), new Sealer(options)]
    let writing = true
    const write = async (writer: number) => {
      for (let n = 0; n < 20; n++) await store.recordAudit(auditDraft(`${writer} ${n}`))
    }
    const seal = async (sealer: Sealer) => {
      while (writing) {
        await sealer.seal()
        // Where reads are answered at once, writers are heard only when nothing else is to be done.
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    const sealing = sealers.map(seal)
    await Promise.all([0, 1, 2, 3].map(write))
    writing = false
    await Promise.all(sealing)
    await sealers[0]?.seal()
    const entries = await all(store)
    const numbers = entries.map(({ sealed }) => sealed?.number ?? 0).sort((a, b) => a - b)
    expect(numbers).toEqual(Array.from({ length: 80 }, (_, index) => index + 1))
    expect(await verifyAudit(options)).toMatchObject({ ok: true, first: 1, last: 80, entries: 80 })
  })

  it('[P168] removes what is old and leaves a chain that can be verified', async () => {
    const { store } = bench()
    const options = { ...sealerOptions(store), days: 1 }
    const now = startOfTime + 86_400_000
    const sealer = new Sealer(options)
    for (const at of [0, 1, 5]) await store.recordAudit(auditDraft(`at ${at}`, { at: startOfTime + at }))
    await sealer.seal()
    await removeExpired(options, now + 2)
    await sealer.seal()
    expect(await actions(store)).toEqual(['at 5', 'audit.expired'])
    expect(await verifyAudit(options)).toMatchObject({ ok: true, first: 3, last: 4 })
    await removeExpired({ ...options, days: 0 }, now * 2)
    await removeExpired(options, now * 2)
    expect(await verifyAudit(options)).toMatchObject({ ok: true, entries: 0, last: 4 })
  })

  it('[P165] [P166] loses no entry and seals none twice, after kill -9 between append and seal', async () => {
    const harness = await makeStore()
    try {
      let store = await openStore(harness.opener)
      const project = { name: 'p', displayName: 'P', description: '', settings: {}, now: startOfTime }
      await store.createProject(project)
      for (const count of [40, 90]) {
        await store.close()
        const acknowledged = await recordUntilKilled(harness.opener, count)
        store = await openStore(harness.opener)
        const options = sealerOptions(store)
        await new Sealer(options).seal()
        const entries = await all(store)
        const known = new Map(entries.map(({ id, session }) => [id, session]))
        for (const { id, session } of acknowledged) expect(known.get(id)).toBe(session)
        for (const session of known.values()) expect(await store.state(session ?? '')).toBeDefined()
        expect(await verifyAudit(options)).toMatchObject({ ok: true, last: entries.length })
      }
      await store.close()
    } finally {
      await harness.dispose()
    }
  }, 120_000)
}

const unknown = { ...stop, kind: 'interrupt' } as const

type Opener = Parameters<typeof openStore>[0]

/** The entries of a process that was killed after it said `count`. */
const recordUntilKilled = async (opener: Opener, count: number) => {
  const child = spawn(process.execPath, [loop, JSON.stringify(opener)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const acknowledged: { id: string; session: string }[] = []
  for await (const line of createInterface(child.stdout)) {
    acknowledged.push(JSON.parse(line))
    if (acknowledged.length === count) child.kill('SIGKILL')
  }
  await ended
  expect(acknowledged.length).toBeGreaterThanOrEqual(count)
  return acknowledged
}
