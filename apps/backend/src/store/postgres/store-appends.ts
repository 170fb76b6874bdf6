import { sessionQueries } from '../append/append-queries.ts'
import { eventRow, follow } from '../append/consequences.ts'
import { leaveTombstone } from '../append/hide.ts'
import { countUsage } from '../append/usage-book.ts'
import { sessionColumns } from '../session-columns.ts'
import type { AppendState, WorkingSession } from './append-state.ts'
import { recordAudits } from './audit.ts'
import { storable } from './compile.ts'
import { type Connection, runProgram } from './connections.ts'

/** Writes what was decided, table by table; the projects' revisions last, because many wait for them. */
export const storeAppends = async (connection: Connection, state: AppendState): Promise<void> => {
  const changed = state.sessions.filter(({ before, state: after }) => before !== after)
  if (changed.length === 0) return remember(connection, state)
  await createSessions(connection, changed)
  await addEvents(connection, changed)
  for (const session of changed) {
    await storeLabels(connection, session)
    const number = numberOf(session)
    for (const { event, request } of session.events)
      await runProgram(connection, follow(number, event, request))
  }
  await runProgram(connection, countUsage(usageOf(changed)))
  await remember(connection, state)
  await recordAudits(connection, state)
  const revisions = await takeRevisions(connection, state)
  await updateSessions(connection, changed, revisions)
}

const numberOf = ({ number, state }: WorkingSession): number => {
  if (number === undefined)
    throw new Error(`The database did not say which row it inserted for ${state.summary.id}`)
  return number
}

const columns = {
  title_folded: 'text',
  phase: 'text',
  deleted: 'bigint',
  visibility: 'text',
  shares: 'text',
  due_at: 'bigint',
  room: 'text',
  room_since: 'bigint',
  memory_mib: 'bigint',
  milli_cpus: 'bigint',
  generation: 'bigint',
  seq: 'bigint',
  summary: 'text',
  rest: 'text',
} as const
const names = Object.keys(columns) as (keyof typeof columns)[]
const typesFrom = (first: number) => names.map((name, index) => `$${first + index}::${columns[name]}[]`)

/** The columns of sessions as arrays, one for each column. */
const arraysOf = (sessions: readonly WorkingSession[]): unknown[][] => {
  const rows = sessions.map(({ state, columns }) => columns ?? sessionColumns(state))
  return names.map((name) => rows.map((row) => storable(row[name])))
}

const fixed = 'id, project, created_at, owner_kind, owner_id'

const createText = `INSERT INTO sessions (${fixed}, revision, ${names.join(', ')})
  SELECT ${fixed}, 0, ${names.join(', ')}
  FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], ${typesFrom(6).join(', ')})
    AS given (${fixed}, ${names.join(', ')})
  RETURNING id, number`

const createSessions = async (connection: Connection, changed: readonly WorkingSession[]): Promise<void> => {
  const fresh = changed.filter(({ number }) => number === undefined)
  if (fresh.length === 0) return
  const summaries = fresh.map(({ state }) => state.summary)
  const { rows } = await connection.query({
    name: 'berth_create_sessions',
    text: createText,
    values: [
      summaries.map(({ id }) => id),
      summaries.map(({ project }) => project),
      summaries.map(({ createdAt }) => Date.parse(createdAt)),
      summaries.map(({ owner }) => owner.kind),
      summaries.map(({ owner }) => owner.id),
      ...arraysOf(fresh),
    ],
  })
  const numbers = new Map(rows.map(({ id, number }) => [id, number]))
  for (const session of fresh) session.number = numbers.get(session.state.summary.id)
}

const addEvents = async (connection: Connection, changed: readonly WorkingSession[]): Promise<void> => {
  const rows = changed.flatMap((session) =>
    session.events.map(({ event, json }) => eventRow(numberOf(session), event, json)),
  )
  await connection.query({
    name: 'berth_add_events',
    text: `INSERT INTO events (place, session, seq, type, turn, block, json)
      SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[])`,
    values: [
      rows.map(({ place }) => place),
      rows.map(({ session }) => session),
      rows.map(({ seq }) => seq),
      rows.map(({ type }) => type),
      rows.map(({ turn }) => turn),
      rows.map(({ block }) => block),
      rows.map(({ json }) => json),
    ],
  })
}

const storeLabels = async (connection: Connection, session: WorkingSession): Promise<void> => {
  const { labels } = session.state.summary
  const before = session.before?.summary.labels
  if (JSON.stringify(labels) === JSON.stringify(before ?? {})) return
  const number = numberOf(session)
  await runProgram(connection, sessionQueries.clearLabels.run({ session: number }))
  for (const [key, value] of Object.entries(labels))
    await runProgram(connection, sessionQueries.addLabel.run({ session: number, key, value }))
}

const usageOf = (changed: readonly WorkingSession[]) =>
  changed.flatMap(({ state, events }) =>
    events.flatMap(({ event }) => (event.type === 'model.usage' ? [{ summary: state.summary, event }] : [])),
  )

const remember = async (connection: Connection, { remembered }: AppendState): Promise<void> => {
  if (remembered.length === 0) return
  const rows = remembered.flatMap(({ request: { idempotency, now }, outcome }) =>
    idempotency === undefined ? [] : [{ ...outcome, ...idempotency, now }],
  )
  await connection.query({
    name: 'berth_remember',
    text: `INSERT INTO idempotency (scope, key, hash, session, summary, first, position, prompt, created_at)
      SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[],
        $8::text[], $9::bigint[])
      ON CONFLICT (scope, key) DO UPDATE SET hash = excluded.hash, session = excluded.session,
        summary = excluded.summary, first = excluded.first, position = excluded.position, prompt = excluded.prompt,
        created_at = excluded.created_at`,
    values: [
      rows.map(({ scope }) => scope),
      rows.map(({ key }) => key),
      rows.map(({ hash }) => hash),
      rows.map(({ session }) => session),
      rows.map(({ summary }) => summary),
      rows.map(({ first }) => first),
      rows.map(({ position }) => position),
      rows.map(({ prompt }) => prompt ?? null),
      rows.map(({ now }) => now),
    ],
  })
}

/** Gives every change of a list its revision; the last one of each session. Held until the commit: so revision order is commit order. */
const takeRevisions = async (
  connection: Connection,
  { listed }: AppendState,
): Promise<Map<string, number>> => {
  const last = new Map<string, number>()
  const projects = [...new Set(listed.map(({ project }) => project))].sort()
  for (const name of projects) {
    const changes = listed.filter(({ project }) => project === name)
    const wanted = changes.reduce((sum, { losers }) => sum + (losers === undefined ? 1 : 2), 0)
    const { rows } = await connection.query({
      name: 'berth_take_revisions',
      text: 'UPDATE projects SET revision = revision + $2 WHERE name = $1 RETURNING revision',
      values: [name, wanted],
    })
    let revision = Number(rows[0]?.revision) - wanted
    for (const { session, value, losers, now: at } of changes) {
      if (losers !== undefined) {
        revision += 1
        const place = { project: name, revision, session, at }
        value.hidden = await runProgram(connection, leaveTombstone(losers, place))
      }
      revision += 1
      value.revision = revision
      last.set(session, revision)
    }
  }
  return last
}

const updateText = `UPDATE sessions SET ${names.map((name) => `${name} = given.${name}`).join(', ')},
    revision = coalesce(given.new_revision, sessions.revision)
  FROM unnest($1::bigint[], $2::bigint[], ${typesFrom(3).join(', ')})
    AS given (given_number, new_revision, ${names.join(', ')})
  WHERE number = given_number`

const updateSessions = async (
  connection: Connection,
  changed: readonly WorkingSession[],
  revisions: ReadonlyMap<string, number>,
): Promise<void> => {
  const old = changed.filter(({ before }) => before !== undefined)
  const fresh = changed.filter(({ before }) => before === undefined)
  const revisionOf = ({ state }: WorkingSession) => revisions.get(state.summary.id) ?? null
  if (old.length > 0)
    await connection.query({
      name: 'berth_update_sessions',
      text: updateText,
      values: [old.map(numberOf), old.map(revisionOf), ...arraysOf(old)],
    })
  if (fresh.length > 0)
    await connection.query({
      name: 'berth_set_revisions',
      text: `UPDATE sessions SET revision = given.revision FROM unnest($1::bigint[], $2::bigint[]) AS given (n, revision)
        WHERE number = n`,
      values: [fresh.map(numberOf), fresh.map(revisionOf)],
    })
}
