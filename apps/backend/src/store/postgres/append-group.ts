import { limits } from '@berth/contract'
import { needsOpenProject } from '../append/check-project.ts'
import { noticeOf } from '../append/consequences.ts'
import type { AppendRequest } from '../port.ts'
import { stateOf } from '../session-columns.ts'
import {
  AppendState,
  type Known,
  type KnownOutcome,
  keyOf,
  type Outcome,
  type WorkingSession,
} from './append-state.ts'
import type { Connection } from './connections.ts'
import { storeAppends } from './store-appends.ts'
import type { Told } from './teller.ts'

/**
 * Appends of several sessions in the caller's transaction. Everything is locked in one order (keys, sessions by id, and at the
 * end projects by name), so that no two transactions wait for each other.
 */
export const appendGroup = async (
  connection: Connection,
  requests: readonly AppendRequest[],
): Promise<Told<Outcome[]>> => {
  const state = new AppendState(await readKnown(connection, requests))
  const outcomes = requests.map((request) => state.decide(request))
  await storeAppends(connection, state)
  const notices = outcomes.flatMap((outcome) => {
    const notice = 'value' in outcome ? noticeOf(outcome.value) : undefined
    return notice === undefined ? [] : [notice]
  })
  return { value: outcomes, notices }
}

const readKnown = async (connection: Connection, requests: readonly AppendRequest[]): Promise<Known> => {
  const outcomes = await readOutcomes(connection, requests)
  const ids = [...new Set(requests.map(({ session }) => session))]
  const sessions = await readSessions(connection, ids, 'FOR NO KEY UPDATE')
  const others = [...outcomes.values()].map(({ session }) => session).filter((id) => !sessions.has(id))
  if (others.length > 0)
    for (const [id, one] of await readSessions(connection, others, '')) sessions.set(id, one)
  const names = requests.flatMap(({ session, command, settingsVersion }) => {
    if (command.kind === 'create') return [command.project]
    const isAsked = settingsVersion !== undefined || needsOpenProject(command.kind)
    const known = isAsked ? sessions.get(session) : undefined
    return known === undefined ? [] : [known.state.summary.project]
  })
  return { sessions, outcomes, projects: await readProjects(connection, names) }
}

/** Whoever uses a key first is waited for, also where another backend does. */
const readOutcomes = async (
  connection: Connection,
  requests: readonly AppendRequest[],
): Promise<Map<string, KnownOutcome>> => {
  const keys = requests.flatMap(({ idempotency, now }) =>
    idempotency === undefined ? [] : [{ ...idempotency, since: now - limits.idempotencyHours * 3600_000 }],
  )
  if (keys.length === 0) return new Map()
  await connection.query({
    name: 'berth_lock_keys',
    text: `SELECT pg_advisory_xact_lock(hash)
      FROM (SELECT DISTINCT hashtextextended(key, 0) AS hash FROM unnest($1::text[]) AS given (key) ORDER BY hash) AS locks`,
    values: [keys.map(keyOf)],
  })
  const { rows } = await connection.query({
    name: 'berth_read_keys',
    text: `SELECT scope, key, hash, session, summary, first, position, prompt
      FROM idempotency JOIN unnest($1::text[], $2::text[], $3::bigint[]) AS given (s, k, since)
        ON scope = s AND key = k AND created_at > since`,
    values: [keys.map(({ scope }) => scope), keys.map(({ key }) => key), keys.map(({ since }) => since)],
  })
  return new Map(rows.map(({ prompt, ...row }) => [keyOf(row), { ...row, prompt: prompt ?? undefined }]))
}

const readSessions = async (
  connection: Connection,
  ids: readonly string[],
  lock: string,
): Promise<Map<string, WorkingSession>> => {
  const { rows } = await connection.query({
    name: lock === '' ? 'berth_read_sessions' : 'berth_lock_sessions',
    text: `SELECT number, id, summary, rest FROM sessions WHERE id = ANY ($1) ORDER BY id ${lock}`,
    values: [ids],
  })
  return new Map(
    rows.map(({ number, id, ...row }) => {
      const state = stateOf(row)
      return [id, { number, before: state, state, columns: undefined, events: [] }]
    }),
  )
}

const readProjects = async (connection: Connection, names: readonly string[]): Promise<Known['projects']> => {
  if (names.length === 0) return new Map()
  // They can't be deleted meanwhile.
  const { rows } = await connection.query({
    name: 'berth_lock_projects',
    text: 'SELECT name, settings_version, state FROM projects WHERE name = ANY ($1) ORDER BY name FOR KEY SHARE',
    values: [[...new Set(names)]],
  })
  return new Map(
    rows.map(({ name, settings_version, state }) => [name, { settingsVersion: settings_version, state }]),
  )
}
