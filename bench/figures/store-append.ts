import type { Store } from '../../apps/backend/src/store/port.ts'
import { type Figure, percentile, type Row } from '../figure.ts'
import { byTurns, ratioOf } from '../support/by-turns.ts'
import { seed } from '../support/seed.ts'
import { appendFacts, launchAll, withPostgres, withStore } from '../support/store.ts'

const batch = 50
const writers = 20
const batchesEach = 10
const rounds = 15

/**
 * DESIGN: durable appends in batches of 50 at the store port, ≥ 15,000/s with SQLite, ≥ 10,000/s with PostgreSQL. What somebody
 * does through the API is appended with its entry of the audit in the same transaction.
 */
export const storeAppend: Figure = {
  name: 'store-append',
  about: `durable appends in batches of ${batch} at the store's port, ${writers} sessions at once; without and with an entry of the audit for each, by turns`,
  run: async () => [
    ...(await withStore((store) => rates('SQLite', { store, goal: 15_000 }))),
    ...(await withPostgres((store) => rates('PostgreSQL', { store, goal: 10_000 }))),
  ],
}

/** The store with an entry for the next append. */
const audited = (store: Store, session: string): Store =>
  store.audited({
    ...{ at: Date.now(), actor: { kind: 'user', id: 'bench' }, action: 'createPrompt', project: 'default' },
    ...{ session, object: { kind: 'session', id: session }, result: 'done' },
    ...{ address: '127.0.0.1', requestId: 'req-bench', details: { batch } },
  })

const rates = async (name: string, { store, goal }: { store: Store; goal: number }): Promise<Row[]> => {
  const sessions = await seed(store, writers)
  await launchAll(store, sessions)
  let next = 1
  /** Events in a second. */
  const write = async (through: (session: string) => Store): Promise<number> => {
    const first = next
    next += batchesEach * batch
    const started = performance.now()
    await Promise.all(
      sessions.map(async (session) => {
        for (let i = 0; i < batchesEach; i++)
          await appendFacts(through(session), session, { from: first + i * batch, count: batch })
      }),
    )
    return (writers * batchesEach * batch * 1000) / (performance.now() - started)
  }
  const { plain, withAudit } = await byTurns(
    { rounds, warm: 2 },
    {
      plain: () => write(() => store),
      withAudit: () => write((session) => audited(store, session)),
    },
  )
  const row = (what: string, values: number[]): Row => ({
    ...{ what: `${name}: ${what}`, value: percentile(values, 0.5), unit: '/s', goal: { atLeast: goal } },
    note: `median of ${rounds} times ${writers * batchesEach * batch} events`,
  })
  const entries = (await store.auditUnsealed(10_000)).length
  const expected = (rounds + 2) * writers * batchesEach
  if (entries !== expected) throw new Error(`${entries} entries of the audit in place of ${expected}`)
  return [
    row('without', plain),
    row('with an entry of the audit', withAudit),
    { what: `${name}: with it against without`, ...ratioOf(withAudit, plain) },
  ]
}
