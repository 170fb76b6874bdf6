import type { Store } from '../../apps/backend/src/store/port.ts'
import type { Figure } from '../figure.ts'
import { seed } from '../support/seed.ts'
import { appendFacts, launchAll, withPostgres, withStore } from '../support/store.ts'

const batch = 50
const writers = 20
const batchesEach = 100

/** DESIGN: durable appends in batches of 50 at the store port, ≥ 15,000/s with SQLite, ≥ 10,000/s with PostgreSQL. */
export const storeAppend: Figure = {
  name: 'store-append',
  about: `durable appends in batches of ${batch} at the store's port, ${writers} sessions at once`,
  run: async () => [
    await withStore(async (store) => rateOf('SQLite', { store, goal: 15_000 })),
    await withPostgres(async (store) => rateOf('PostgreSQL', { store, goal: 10_000 })),
  ],
}

const rateOf = async (what: string, { store, goal }: { store: Store; goal: number }) => {
  const sessions = await seed(store, writers)
  await launchAll(store, sessions)
  const write = async (session: string, batches: number, from: number) => {
    for (let i = 0; i < batches; i++)
      await appendFacts(store, session, { from: from + i * batch, count: batch })
  }
  await Promise.all(sessions.map((session) => write(session, 10, 1)))
  const started = performance.now()
  await Promise.all(sessions.map((session) => write(session, batchesEach, 10 * batch + 1)))
  const seconds = (performance.now() - started) / 1000
  const events = writers * batchesEach * batch
  return {
    what,
    value: events / seconds,
    unit: '/s' as const,
    goal: { atLeast: goal },
    note: `${events} events`,
  }
}
