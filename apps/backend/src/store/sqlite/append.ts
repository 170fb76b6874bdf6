import type { DatabaseSync } from 'node:sqlite'
import { BerthError, type Event, limits } from '@berth/contract'
import { decide } from '../../session/decide.ts'
import { keyMismatch } from '../key-mismatch.ts'
import { sameListed } from '../listed.ts'
import { type AppendRequest, type AppendResult, type Line, operationMs } from '../port.ts'
import { sessionColumns, stateOf } from '../session-columns.ts'
import { appendQueries } from './append-queries.ts'
import { placeOf } from './place.ts'
import type { Done } from './protocol.ts'
import { bumpRevision } from './revision.ts'
import type { CachedSession, StateCache } from './state-cache.ts'
import { UsageBook } from './usage.ts'

const idempotencyMs = limits.idempotencyHours * 3600_000

/** Decides commands and stores what comes of them, inside the caller's savepoint. */
export class Appender {
  readonly #queries: ReturnType<typeof appendQueries>
  readonly #bump: ReturnType<typeof bumpRevision>
  readonly #usage: UsageBook
  readonly #cache: StateCache

  constructor(database: DatabaseSync, cache: StateCache) {
    this.#queries = appendQueries(database)
    this.#bump = bumpRevision(database)
    this.#usage = new UsageBook(database)
    this.#cache = cache
  }

  append(request: AppendRequest): Done<'append'> {
    const replayed = this.#replay(request)
    if (replayed !== undefined) return { value: replayed }
    const before = this.#load(request.session)
    checkPlace(request, before)
    this.#checkSettings(request, before)
    const at = new Date(request.now).toISOString()
    const { events, state } = decide(before?.state, request.command, { at, turn: request.turn })
    const changed = before === undefined || !sameListed(before.state.summary, state.summary)
    const revision = changed ? this.#bump(state.summary.project) : undefined
    const columns = sessionColumns(state)
    const session: CachedSession = {
      number: this.#storeSession(request, before, { columns, revision, state }),
      state,
      summary: columns.summary,
      bytes: 3 * (columns.summary.length + columns.rest.length),
    }
    const lines = events.map((event) => this.#storeEvent(session.number, event))
    for (const event of events) {
      this.#follow(session.number, event, request)
      if (event.type === 'model.usage') this.#usage.add(state.summary, event)
    }
    const value: AppendResult = {
      state,
      summary: columns.summary,
      lines,
      revision,
      replayed: false,
      first: lines[0]?.seq ?? state.summary.seq,
      position: before?.state.summary.queue.length ?? 0,
      prompt: promptOf(events),
    }
    this.#remember(request, value)
    this.#cache.set(request.session, session)
    if (lines.length === 0) return { value }
    return { value, notice: noticeOf(value) }
  }

  #replay({ idempotency, now }: AppendRequest): AppendResult | undefined {
    if (idempotency === undefined) return undefined
    const { scope, key, hash } = idempotency
    const record = this.#queries.record.get({ scope, key })
    if (record === undefined || record.created_at <= now - idempotencyMs) return undefined
    if (record.hash !== hash) throw keyMismatch(key)
    const session = this.#load(record.session)
    if (session === undefined) throw notFound(record.session)
    const { summary, first, position, prompt } = record
    const known = { summary, first, position, prompt: prompt ?? undefined }
    return { ...known, state: session.state, lines: [], replayed: true }
  }

  #remember({ idempotency, session, now }: AppendRequest, result: AppendResult) {
    if (idempotency === undefined) return
    const { summary, first, position, prompt } = result
    const outcome = { session, summary, first, position, prompt: prompt ?? null }
    this.#queries.remember.run({ ...idempotency, ...outcome, created_at: now })
  }

  /** The settings may have changed since they were read for this command. */
  #checkSettings({ settingsVersion }: AppendRequest, before: CachedSession | undefined) {
    if (settingsVersion === undefined || before === undefined) return
    const name = before.state.summary.project
    const now = this.#queries.settingsVersion.get({ name })?.settings_version
    if (now !== settingsVersion)
      throw new BerthError(
        'version_mismatch',
        `The settings of project ${name} changed in the meantime. Read them again, then repeat the command.`,
      )
  }

  #load(id: string): CachedSession | undefined {
    const cached = this.#cache.get(id)
    if (cached !== undefined) return cached
    const row = this.#queries.session.get({ id })
    if (row === undefined) return undefined
    const { number, summary, rest } = row
    return { number, state: stateOf(row), summary, bytes: 3 * (summary.length + rest.length) }
  }

  #storeSession(
    request: AppendRequest,
    before: CachedSession | undefined,
    after: {
      columns: ReturnType<typeof sessionColumns>
      revision: number | undefined
      state: CachedSession['state']
    },
  ): number {
    const { columns, revision, state } = after
    const { labels, project, owner, createdAt } = state.summary
    if (before === undefined) {
      const fixed = {
        id: request.session,
        project,
        created_at: Date.parse(createdAt),
        owner_id: owner.id,
        revision: revision ?? 0,
      }
      const row = this.#queries.createSession.get({ ...fixed, ...columns })
      if (row === undefined) throw new Error('SQLite did not say which row it inserted')
      this.#storeLabels(row.number, labels)
      return row.number
    }
    if (before.state === state) return before.number
    this.#queries.updateSession.run({ number: before.number, ...columns })
    if (revision !== undefined) this.#queries.setRevision.run({ number: before.number, revision })
    if (labels !== before.state.summary.labels) this.#storeLabels(before.number, labels)
    return before.number
  }

  #storeLabels(session: number, labels: Record<string, string>) {
    this.#queries.clearLabels.run({ session })
    for (const [key, value] of Object.entries(labels)) this.#queries.addLabel.run({ session, key, value })
  }

  #storeEvent(session: number, event: Event): Line {
    const { seq, type } = event
    const json = JSON.stringify(event)
    const block = transientOf(event)
    const turn = 'turn' in event.data && block === null ? (event.data.turn ?? null) : null
    this.#queries.addEvent.run({ place: placeOf(session, seq), session, seq, type, turn, block, json })
    return { seq, json }
  }

  /** Keeps what is derived from events besides the state. */
  #follow(session: number, event: Event, { now, tokenHash }: AppendRequest) {
    switch (event.type) {
      case 'generation.started': {
        const { generation } = event.data
        return this.#queries.startGeneration.run({ session, generation, now, token_hash: tokenHash ?? null })
      }
      case 'generation.ended':
        return this.#queries.endGeneration.run({ session, generation: event.data.generation })
      case 'block.completed':
        return this.#queries.completeBlock.run({ session, block: event.data.block, due_at: now })
      case 'operation.completed':
      case 'operation.failed':
      case 'operation.cancelled': {
        const due_at = now + operationMs
        return this.#queries.completeBlock.run({ session, block: event.data.operation, due_at })
      }
      default:
        return undefined
    }
  }
}

/** What an event is compacted with: the block of a delta, or the operation. */
const transientOf = (event: Event): string | null => {
  if (event.type === 'block.delta') return event.data.block
  return 'operation' in event.data ? event.data.operation : null
}

const promptOf = (events: Event[]): string | undefined => {
  for (const event of events) if (event.type === 'prompt.queued') return event.data.prompt
  return undefined
}

const notFound = (session: string) =>
  new BerthError('session_not_found', `There is no session ${session} in this project.`)

const checkPlace = ({ session, project, command }: AppendRequest, before: CachedSession | undefined) => {
  if (command.kind === 'create' ? false : before === undefined) throw notFound(session)
  if (before !== undefined && project !== undefined && before.state.summary.project !== project)
    throw notFound(session)
}

const noticeOf = ({ state, lines, revision, summary }: AppendResult) => {
  const { id: session, project, seq } = state.summary
  return { session, project, seq, lines, change: revision === undefined ? undefined : { revision, summary } }
}
