import type { DatabaseSync } from 'node:sqlite'
import { sql as raw } from 'kysely'
import { selectBase } from './bases.ts'
import { selectProject } from './projects.ts'
import { queriesOf, sql } from './query.ts'
import { selectUpload, selectUploads } from './uploads.ts'

/** Statements that read, each compiled once. */
export const readQueries = (database: DatabaseSync) => {
  const query = queriesOf(database)
  return {
    ...sessionQueries(query),
    ...eventQueries(query),
    ...projectQueries(query),
    ...runnerQueries(query),
  }
}

type Queries = ReturnType<typeof queriesOf>

const sessionQueries = (query: Queries) => ({
  summary: query<{ project: string; session: string }>()(({ project, session }) =>
    sql.selectFrom('sessions').select('summary').where('id', '=', session).where('project', '=', project),
  ),
  state: query<{ session: string }>()(({ session }) =>
    sql.selectFrom('sessions').select(['summary', 'rest']).where('id', '=', session),
  ),
  exists: query<{ session: string }>()(({ session }) =>
    sql.selectFrom('sessions').select('number').where('id', '=', session),
  ),
  due: query<{ now: number; limit: number }>()(({ now, limit }) =>
    sql
      .selectFrom('sessions')
      .select(['id', 'due_at as at'])
      .where('due_at', 'is not', null)
      .where('due_at', '<=', now)
      .orderBy('due_at')
      .limit(limit),
  ),
  applicants: query<object>()(() =>
    sql
      .selectFrom('sessions')
      .select(['id as session', 'project', 'owner_id as owner', 'room_since as since'])
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
      .select(['id as session', 'project', 'owner_id as owner', 'memory_bytes as memory'])
      .where('room', '=', raw.lit('has')),
  ),
  phases: query<object>()(() =>
    sql
      .selectFrom('sessions')
      .select(({ fn }) => ['phase', 'deleted', fn.countAll<number>().as('count')])
      .groupBy(['deleted', 'phase']),
  ),
})

const numberOf = (session: string) => sql.selectFrom('sessions').select('number').where('id', '=', session)

const lastOfType = (session: string, type: string) =>
  sql
    .selectFrom('events')
    .select(['seq', 'json'])
    .where('session', '=', numberOf(session))
    .where('block', 'is', null)
    .where('type', '=', type)
    .orderBy('place', 'desc')
    .limit(1)

const eventQueries = (query: Queries) => ({
  number: query<{ session: string }>()(({ session }) => numberOf(session)),
  events: query<{ after: number; below: number; limit: number }>()(({ after, below, limit }) =>
    sql
      .selectFrom('events')
      .select(['seq', 'json'])
      .where('place', '>', after)
      .where('place', '<', below)
      .orderBy('place')
      .limit(limit),
  ),
  ofType: query<{ session: number; type: string; below: number; limit: number }>()(
    ({ session, type, below, limit }) =>
      sql
        .selectFrom('events')
        .select(['seq', 'json'])
        .where('session', '=', session)
        .where('block', 'is', null)
        .where('type', '=', type)
        .where('place', '<', below)
        .orderBy('place', 'desc')
        .limit(limit),
  ),
  outcome: query<{ scope: string; key: string; since: number }>()(({ scope, key, since }) =>
    sql
      .selectFrom('idempotency')
      .select(['hash', 'session', 'first'])
      .where('scope', '=', scope)
      .where('key', '=', key)
      .where('created_at', '>', since),
  ),
  lastOfType: query<{ session: string; type: string }>()(({ session, type }) => lastOfType(session, type)),
  lastOfTurn: query<{ session: string; type: string; turn: string }>()(({ session, type, turn }) =>
    lastOfType(session, type).where('turn', '=', turn),
  ),
})

const projectQueries = (query: Queries) => ({
  revision: query<{ name: string }>()(({ name }) =>
    sql.selectFrom('projects').select(['revision', 'forgotten']).where('name', '=', name),
  ),
  changed: query<{ project: string; after: number; limit: number }>()(({ project, after, limit }) =>
    sql
      .selectFrom('sessions')
      .select(['revision', 'summary'])
      .where('project', '=', project)
      .where('revision', '>', after)
      .orderBy('revision')
      .limit(limit),
  ),
  removed: query<{ project: string; after: number; limit: number }>()(({ project, after, limit }) =>
    sql
      .selectFrom('tombstones')
      .select(['revision', 'session as removed'])
      .where('project', '=', project)
      .where('revision', '>', after)
      .orderBy('revision')
      .limit(limit),
  ),
  settings: query<{ name: string }>()(({ name }) =>
    sql.selectFrom('projects').select(['settings', 'settings_version']).where('name', '=', name),
  ),
  month: query<{ project: string; month: string }>()(({ project, month }) =>
    sql
      .selectFrom('month_usage')
      .select(['tokens', 'cost_usd'])
      .where('project', '=', project)
      .where('month', '=', month),
  ),
  project: query<{ name: string }>()(({ name }) => selectProject().where('name', '=', name)),
  projects: query<{ after: string; limit: number }>()(({ after, limit }) =>
    selectProject().where('name', '>', after).orderBy('name').limit(limit),
  ),
})

const runnerQueries = (query: Queries) => ({
  runner: query<{ tokenHash: string }>()(({ tokenHash }) =>
    sql
      .selectFrom('generations')
      .innerJoin('sessions', 'sessions.number', 'generations.session')
      .select(['sessions.id as session', 'sessions.project', 'generations.generation', 'generations.live'])
      .where('token_hash', '=', tokenHash),
  ),
  generation: query<{ session: string }>()(({ session }) =>
    sql
      .selectFrom('generations')
      .select(['generation', 'started_at', 'heartbeat_at'])
      .where('session', '=', numberOf(session))
      .orderBy('generation', 'desc')
      .limit(1),
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
  upload: query<{ id: string }>()(selectUpload),
  uploads: query<{ session: string }>()(selectUploads),
  base: query<{ project: string; key: string }>()(selectBase),
  baseExists: query<{ scope: string }>()(({ scope }) =>
    sql.selectFrom('bases').select('scope').where('scope', '=', scope),
  ),
  grant: query<{ kind: string; hash: string }>()(({ kind, hash }) =>
    sql
      .selectFrom('grants')
      .select(['principal', 'expires_at'])
      .where('kind', '=', kind)
      .where('hash', '=', hash),
  ),
})
