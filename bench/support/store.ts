import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPostgres } from '@berth/testing'
import type { Store } from '../../apps/backend/src/store/port.ts'
import { createPostgresStore } from '../../apps/backend/src/store/postgres/postgres-store.ts'
import { createSqliteStore } from '../../apps/backend/src/store/sqlite/sqlite-store.ts'

/** A store on this machine's disk while `use` works with it. */
export const withStore = async <T>(use: (store: Store) => Promise<T>): Promise<T> => {
  const directory = await mkdtemp(join(tmpdir(), 'berth-bench-'))
  const store = await createSqliteStore({ file: join(directory, 'berth.db') })
  try {
    return await use(store)
  } finally {
    await store.close()
    await rm(directory, { recursive: true, force: true })
  }
}

/** A store in a PostgreSQL of this machine that keeps what it has committed, while `use` works with it. */
export const withPostgres = async <T>(use: (store: Store) => Promise<T>): Promise<T> => {
  const postgres = await startPostgres({ durable: true })
  try {
    const store = await createPostgresStore({ url: await postgres.createDatabase() })
    try {
      return await use(store)
    } finally {
      await store.close()
    }
  } finally {
    await postgres.stop()
  }
}

const backendActor = { kind: 'backend', id: 'bench' } as const

/** Launches the first generation of these sessions, so that facts of it are taken. */
export const launchAll = async (store: Store, sessions: readonly string[]): Promise<void> => {
  for (const session of sessions) {
    const append = { session, turn: 'trn_00000000000000000000000000', now: Date.now() }
    await store.append({ ...append, command: { kind: 'resume', actor: backendActor } })
    const command = { kind: 'launch', actor: backendActor, runtime: 'bench' } as const
    await store.append({ ...append, command, tokenHash: session })
  }
}

const text = 'The quick brown fox jumps over the lazy dog. '.repeat(4)

/** Appends facts to a session, from `n` on, as its runner would. */
export const appendFacts = (
  store: Store,
  session: string,
  { from, count }: { from: number; count: number },
) => {
  const at = new Date().toISOString()
  const block = 'blk_00000000000000000000000000'
  const facts = Array.from({ length: count }, (_, i) => ({
    n: from + i,
    at,
    type: 'block.delta' as const,
    data: { block, offset: i * text.length, text },
  }))
  const command = {
    kind: 'facts',
    actor: { kind: 'runner', id: session },
    generation: 1,
    source: 1,
    facts,
  } as const
  return store.append({
    session,
    turn: 'trn_00000000000000000000000000',
    now: Date.now(),
    command: { ...command },
  })
}
