import type { Visibility } from '@berth/contract'
import { query, sql } from '../query.ts'

interface SessionColumns {
  title_folded: string
  phase: string
  deleted: number
  visibility: Visibility
  shares: string
  due_at: number | null
  room: string | null
  room_since: number | null
  memory_mib: number | null
  milli_cpus: number | null
  generation: number
  seq: number
  summary: string
  rest: string
}

/** By name: placeholders can't be listed. */
const pickColumns = (values: SessionColumns): SessionColumns => ({
  title_folded: values.title_folded,
  phase: values.phase,
  deleted: values.deleted,
  visibility: values.visibility,
  shares: values.shares,
  due_at: values.due_at,
  room: values.room,
  room_since: values.room_since,
  memory_mib: values.memory_mib,
  milli_cpus: values.milli_cpus,
  generation: values.generation,
  seq: values.seq,
  summary: values.summary,
  rest: values.rest,
})

/** What an append does to a session's row and labels. */
export const sessionQueries = {
  create: query<
    SessionColumns & {
      id: string
      project: string
      created_at: number
      owner_kind: string
      owner_id: string
      revision: number
    }
  >()((values) => {
    const { id, project, created_at, owner_kind, owner_id, revision } = values
    const fixed = { id, project, created_at, owner_kind, owner_id, revision }
    return sql
      .insertInto('sessions')
      .values({ ...fixed, ...pickColumns(values) })
      .returning('number')
  }),
  update: query<SessionColumns & { number: number }>()((values) =>
    sql.updateTable('sessions').set(pickColumns(values)).where('number', '=', values.number),
  ),
  setRevision: query<{ number: number; revision: number }>()(({ number, revision }) =>
    sql.updateTable('sessions').set({ revision }).where('number', '=', number),
  ),
  clearLabels: query<{ session: number }>()(({ session }) =>
    sql.deleteFrom('labels').where('session', '=', session),
  ),
  addLabel: query<{ session: number; key: string; value: string }>()(({ session, key, value }) =>
    sql.insertInto('labels').values({ session, key, value }),
  ),
}

/** What an append looks up besides, and what it does to other tables. */
export const appendQueries = {
  settingsVersion: query<{ name: string }>()(({ name }) =>
    sql.selectFrom('projects').select('settings_version').where('name', '=', name),
  ),
  projectState: query<{ name: string }>()(({ name }) =>
    sql.selectFrom('projects').select('state').where('name', '=', name),
  ),
  startGeneration: query<{ session: number; generation: number; token_hash: string | null; now: number }>()(
    ({ session, generation, token_hash, now }) =>
      sql.insertInto('generations').values({
        session,
        generation,
        token_hash,
        started_at: now,
        heartbeat_at: null,
        seen_at: now,
        live: 1,
      }),
  ),
  endGeneration: query<{ session: number; generation: number }>()(({ session, generation }) =>
    sql
      .updateTable('generations')
      .set({ live: 0 })
      .where('session', '=', session)
      .where('generation', '=', generation),
  ),
  completeBlock: query<{ session: number; block: string; due_at: number }>()(({ session, block, due_at }) =>
    sql
      .insertInto('completed_blocks')
      .values({ session, block, due_at })
      .onConflict((conflict) => conflict.doNothing()),
  ),
  record: query<{ scope: string; key: string }>()(({ scope, key }) =>
    sql
      .selectFrom('idempotency')
      .select(['hash', 'session', 'summary', 'first', 'position', 'prompt', 'created_at'])
      .where('scope', '=', scope)
      .where('key', '=', key),
  ),
  remember: query<{
    scope: string
    key: string
    hash: string
    session: string
    summary: string
    first: number
    position: number
    prompt: string | null
    created_at: number
  }>()(({ scope, key, hash, session, summary, first, position, prompt, created_at }) => {
    const outcome = { hash, session, summary, first, position, prompt, created_at }
    return sql
      .insertInto('idempotency')
      .values({ scope, key, ...outcome })
      .onConflict((conflict) => conflict.columns(['scope', 'key']).doUpdateSet(outcome))
  }),
}
