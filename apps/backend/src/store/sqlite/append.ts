import { decide } from '../../session/decide.ts'
import { appendQueries, sessionQueries } from '../append/append-queries.ts'
import { auditOf } from '../append/audit.ts'
import { checkOpen, needsOpenProject } from '../append/check-project.ts'
import {
  checkPlace,
  checkSettings,
  eventRow,
  follow,
  lineOf,
  noticeOf,
  resultOf,
  sessionNotFound,
} from '../append/consequences.ts'
import { hide } from '../append/hide.ts'
import { knownOutcome, remember } from '../append/idempotency.ts'
import { countUsage } from '../append/usage-book.ts'
import { sameListed } from '../listed.ts'
import type { Done } from '../operations.ts'
import type { AppendRequest, AppendResult, Line } from '../port.ts'
import { record } from '../programs/audit.ts'
import { nextRevision } from '../programs/revision.ts'
import { type Program, query, sql } from '../query.ts'
import type { Tables } from '../schema.ts'
import { sessionColumns, stateOf } from '../session-columns.ts'
import type { CachedSession, StateCache } from './state-cache.ts'

const queries = {
  session: query<{ id: string }>()(({ id }) =>
    sql.selectFrom('sessions').select(['number', 'summary', 'rest']).where('id', '=', id),
  ),
  addEvent: query<Tables['events']>()(({ place, session, seq, type, turn, block, json }) =>
    sql.insertInto('events').values({ place, session, seq, type, turn, block, json }),
  ),
}

/** Decides a command and stores what comes of it, inside the caller's savepoint. */
export function* append(cache: StateCache, request: AppendRequest): Program<Done<'append'>> {
  const replayed = yield* replay(cache, request)
  if (replayed !== undefined) return { value: replayed }
  const before = yield* load(cache, request.session)
  checkPlace(request, before?.state)
  const { command } = request
  if (needsOpenProject(command.kind)) {
    const name = command.kind === 'create' ? command.project : (before?.state.summary.project ?? '')
    checkOpen(name, (yield* appendQueries.projectState.get({ name }))?.state)
  }
  if (request.settingsVersion !== undefined && before !== undefined) {
    const { project: name } = before.state.summary
    const known = (yield* appendQueries.settingsVersion.get({ name }))?.settings_version
    checkSettings(request.settingsVersion, known, name)
  }
  const at = new Date(request.now).toISOString()
  const { events, state } = decide(before?.state, request.command, {
    at,
    turn: request.turn,
    secrets: request.secrets,
  })
  const changed = before === undefined || !sameListed(before.state.summary, state.summary)
  const hidden = before === undefined ? undefined : yield* hide(before.state, { state, now: request.now })
  const revision = changed ? yield* nextRevision(state.summary.project) : undefined
  const columns = sessionColumns(state)
  const number = yield* storeSession(request.session, before, { columns, revision, state })
  const lines: Line[] = []
  for (const event of events) {
    const row = eventRow(number, event)
    yield* queries.addEvent.run(row)
    lines.push(lineOf(row))
  }
  for (const event of events) yield* follow(number, event, request)
  yield* countUsage(
    events.flatMap((event) => (event.type === 'model.usage' ? [{ summary: state.summary, event }] : [])),
  )
  const { summary } = columns
  const position = before?.state.summary.queue.length ?? 0
  const value = resultOf({ events, lines, state, summary, revision, hidden, position })
  yield* remember(request, value)
  const audit = auditOf(request, value)
  if (audit !== undefined) yield* record(audit)
  cache.set(request.session, { number, state, summary, bytes: 3 * (summary.length + columns.rest.length) })
  return { value, notice: noticeOf(value) }
}

function* replay(cache: StateCache, request: AppendRequest): Program<AppendResult | undefined> {
  const known = yield* knownOutcome(request)
  if (known === undefined) return undefined
  const session = yield* load(cache, known.session)
  if (session === undefined) throw sessionNotFound(known.session)
  return { ...known.outcome, state: session.state, lines: [], replayed: true }
}

function* load(cache: StateCache, id: string): Program<CachedSession | undefined> {
  const cached = cache.get(id)
  if (cached !== undefined) return cached
  const row = yield* queries.session.get({ id })
  if (row === undefined) return undefined
  const { number, summary, rest } = row
  return { number, state: stateOf(row), summary, bytes: 3 * (summary.length + rest.length) }
}

function* storeSession(
  id: string,
  before: CachedSession | undefined,
  after: {
    columns: ReturnType<typeof sessionColumns>
    revision: number | undefined
    state: CachedSession['state']
  },
): Program<number> {
  const { columns, revision, state } = after
  const { labels, project, owner, createdAt } = state.summary
  if (before === undefined) {
    const fixed = {
      id,
      project,
      created_at: Date.parse(createdAt),
      owner_kind: owner.kind,
      owner_id: owner.id,
      revision: revision ?? 0,
    }
    const row = yield* sessionQueries.create.get({ ...fixed, ...columns })
    if (row === undefined) throw new Error('The database did not say which row it inserted')
    yield* storeLabels(row.number, labels)
    return row.number
  }
  if (before.state === state) return before.number
  yield* sessionQueries.update.run({ number: before.number, ...columns })
  if (revision !== undefined) yield* sessionQueries.setRevision.run({ number: before.number, revision })
  if (labels !== before.state.summary.labels) yield* storeLabels(before.number, labels)
  return before.number
}

function* storeLabels(session: number, labels: Record<string, string>): Program<void> {
  yield* sessionQueries.clearLabels.run({ session })
  for (const [key, value] of Object.entries(labels))
    yield* sessionQueries.addLabel.run({ session, key, value })
}
