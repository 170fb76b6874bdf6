import { limits, type SessionAccess, type SessionState } from '@berth/contract'
import { sql as raw } from 'kysely'
import type { Reader } from '../../auth/session-role.ts'
import { encodeCursor } from '../cursor.ts'
import { keyMismatch } from '../key-mismatch.ts'
import type { Heads, Idempotency, ListPage, Occupancy, Page, SessionFilter, Store } from '../port.ts'
import { type Program, query, rowsOf, sql } from '../query.ts'
import { accessOf } from '../session-access.ts'
import { stateOf } from '../session-columns.ts'
import { selectList } from './list-query.ts'
import { projectNotFound } from './revision.ts'
import { seenBy } from './seen-by.ts'

const queries = {
  summary: query<{ project: string; session: string }>()(({ project, session }) =>
    sql.selectFrom('sessions').select('summary').where('id', '=', session).where('project', '=', project),
  ),
  state: query<{ session: string }>()(({ session }) =>
    sql.selectFrom('sessions').select(['summary', 'rest']).where('id', '=', session),
  ),
  outcome: query<{ scope: string; key: string; since: number }>()(({ scope, key, since }) =>
    sql
      .selectFrom('idempotency')
      .select(['hash', 'session', 'first'])
      .where('scope', '=', scope)
      .where('key', '=', key)
      .where('created_at', '>', since),
  ),
  applicants: query<object>()(() =>
    sql
      .selectFrom('sessions')
      .select([
        'id as session',
        'project',
        'owner_id as owner',
        'room_since as since',
        'memory_mib',
        'milli_cpus',
      ])
      .where('room', '=', raw.lit('wants')),
  ),
  occupants: query<object>()(() =>
    sql
      .selectFrom('sessions')
      .leftJoin('generations', (join) =>
        join
          .onRef('generations.session', '=', 'sessions.number')
          .onRef('generations.generation', '=', 'sessions.generation')
          .on('generations.live', '=', raw.lit(1)),
      )
      .select([
        'id as session',
        'project',
        'owner_id as owner',
        'memory_bytes as memory',
        'memory_mib',
        'milli_cpus',
      ])
      .where('room', '=', raw.lit('has')),
  ),
  phases: query<object>()(() =>
    sql
      .selectFrom('sessions')
      .select(({ fn }) => ['phase', 'deleted', fn.countAll<number>().as('count')])
      .groupBy(['deleted', 'phase']),
  ),
  revision: query<{ name: string }>()(({ name }) =>
    sql
      .selectFrom('projects')
      .select(['revision', 'forgotten'])
      .where('name', '=', name)
      .where('state', '<>', 'deleting'),
  ),
  access: query<{ project: string; session: string }>()(({ project, session }) =>
    sql
      .selectFrom('sessions')
      .innerJoin('projects', 'projects.name', 'sessions.project')
      .select(['owner_kind', 'owner_id', 'visibility', 'shares'])
      .where('id', '=', session)
      .where('project', '=', project)
      .where('projects.state', '<>', 'deleting'),
  ),
}

/** Names that one statement looks for. */
const namesAtOnce = 500

export function* summary(project: string, session: string): Program<string | undefined> {
  return (yield* queries.summary.get({ project, session }))?.summary
}

export function* state(session: string): Program<SessionState | undefined> {
  const row = yield* queries.state.get({ session })
  return row && stateOf(row)
}

export function* list(project: string, filter: SessionFilter, page: Page): Program<ListPage> {
  const rows = yield* rowsOf(selectList(project, filter, page))
  const items = rows.slice(0, page.limit)
  const last = items.at(-1)
  const more = rows.length > page.limit && last !== undefined
  return {
    items: items.map(({ summary }) => summary),
    next: more ? encodeCursor([last.created_at, last.id]) : undefined,
  }
}

export function* outcome(
  { scope, key, hash }: Idempotency,
  now: number,
): Program<{ session: string; first: number } | undefined> {
  const since = now - limits.idempotencyHours * 3600_000
  const record = yield* queries.outcome.get({ scope, key, since })
  if (record !== undefined && record.hash !== hash) throw keyMismatch(key)
  return record && { session: record.session, first: record.first }
}

export function* sessionAccess(project: string, session: string): Program<SessionAccess | undefined> {
  const row = yield* queries.access.get({ project, session })
  return row && accessOf(row)
}

export function* revisions(project: string): Program<{ revision: number; forgotten: number }> {
  const row = yield* queries.revision.get({ name: project })
  if (row === undefined) throw projectNotFound(project)
  return row
}

export function* revision(project: string): Program<number> {
  return (yield* revisions(project)).revision
}

export function* occupancy(): Program<Occupancy> {
  const live = yield* queries.occupants.all({})
  const waiting = yield* queries.applicants.all({})
  return {
    live: live.map(({ memory, memory_mib, milli_cpus, ...row }) => ({
      ...row,
      memoryBytes: memory ?? undefined,
      memoryMiB: memory_mib ?? undefined,
      milliCpus: milli_cpus ?? undefined,
    })),
    waiting: waiting.map(({ since, memory_mib, milli_cpus, ...row }) => ({
      ...row,
      since: since ?? 0,
      memoryMiB: memory_mib ?? undefined,
      milliCpus: milli_cpus ?? undefined,
    })),
  }
}

export function* existing(sessions: string[]): Program<Set<string>> {
  const found = new Set<string>()
  for (let i = 0; i < sessions.length; i += namesAtOnce) {
    const ids = sessions.slice(i, i + namesAtOnce)
    for (const { id } of yield* rowsOf(sql.selectFrom('sessions').select('id').where('id', 'in', ids)))
      found.add(id)
  }
  return found
}

export function* seen(sessions: readonly string[], reader: Reader): Program<Set<string>> {
  const found = new Set<string>()
  for (let i = 0; i < sessions.length; i += namesAtOnce) {
    const ids = sessions.slice(i, i + namesAtOnce)
    const query = sql.selectFrom('sessions').select('id').where('id', 'in', ids).where(seenBy(reader))
    for (const { id } of yield* rowsOf(query)) found.add(id)
  }
  return found
}

/** Where logs and lists end now. */
export function* heads({ sessions, projects }: Parameters<Store['heads']>[0]): Program<Heads> {
  const found: Heads = { sessions: new Map(), projects: new Map() }
  for (let i = 0; i < sessions.length; i += namesAtOnce) {
    const ids = sessions.slice(i, i + namesAtOnce)
    const rows = yield* rowsOf(sql.selectFrom('sessions').select(['id', 'seq']).where('id', 'in', ids))
    for (const { id, seq } of rows) found.sessions.set(id, seq)
  }
  for (let i = 0; i < projects.length; i += namesAtOnce) {
    const names = projects.slice(i, i + namesAtOnce)
    const rows = yield* rowsOf(
      sql
        .selectFrom('projects')
        .select(['name', 'revision'])
        .where('name', 'in', names)
        .where('state', '<>', 'deleting'),
    )
    for (const { name, revision } of rows) found.projects.set(name, revision)
  }
  return found
}

/** Sessions by phase, those that are deleted apart. */
export function* phases(): Program<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const { phase, deleted, count } of yield* queries.phases.all({})) {
    const name = deleted === 1 ? 'deleted' : phase
    counts[name] = (counts[name] ?? 0) + count
  }
  return counts
}
