import { sql as raw } from 'kysely'
import type { Store } from '../port.ts'
import { type Program, query, sql } from '../query.ts'

const queries = {
  due: query<{ now: number; limit: number }>()(({ now, limit }) =>
    sql
      .selectFrom('sessions')
      .select(['id', 'due_at as at'])
      .where('due_at', 'is not', null)
      .where('due_at', '<=', now)
      .orderBy('due_at')
      .limit(limit),
  ),
  silent: query<{ silentBefore: number; limit: number }>()(({ silentBefore, limit }) =>
    sql
      .selectFrom('generations')
      .innerJoin('sessions', 'sessions.number', 'generations.session')
      .select(['sessions.id', 'generations.seen_at as at'])
      .where('live', '=', raw.lit(1))
      .where('seen_at', '<', silentBefore)
      .orderBy('seen_at')
      .limit(limit),
  ),
}

/** Due sessions and silent ones, merged by how long they have been waiting. */
export function* attention({
  now,
  silentBefore,
  limit,
}: Parameters<Store['attention']>[0]): Program<string[]> {
  const patience = now - silentBefore
  const since = new Map<string, number>()
  for (const { id, at } of yield* queries.silent.all({ silentBefore, limit })) since.set(id, at + patience)
  for (const { id, at } of yield* queries.due.all({ now, limit }))
    since.set(id, Math.min(at ?? now, since.get(id) ?? now))
  const sorted = [...since].sort(([, a], [, b]) => a - b)
  return sorted.slice(0, limit).map(([id]) => id)
}
