import type { Event, SessionState } from '@berth/contract'
import type { Audience } from '../../auth/session-role.ts'
import { decide } from '../../session/decide.ts'
import { auditOf } from '../append/audit.ts'
import { checkOpen, needsOpenProject } from '../append/check-project.ts'
import { checkPlace, checkSettings, resultOf, sessionNotFound } from '../append/consequences.ts'
import { type AuditColumns, auditRow } from '../audit-row.ts'
import { keyMismatch } from '../key-mismatch.ts'
import type { ProjectState } from '../lifecycle-store.ts'
import { sameListed } from '../listed.ts'
import type { AppendRequest, AppendResult, Line } from '../port.ts'
import { losersOf } from '../session-access.ts'
import { sessionColumns } from '../session-columns.ts'

/** A session in the middle of a transaction. */
export interface WorkingSession {
  /** Undefined: it is new, and its row comes with the transaction. */
  number: number | undefined
  before: SessionState | undefined
  state: SessionState
  /** Of the state, once something was decided. */
  columns: ReturnType<typeof sessionColumns> | undefined
  events: { event: Event; json: string; request: AppendRequest }[]
}

/** What came of one request. */
export type Outcome = { value: AppendResult } | { error: unknown }

/** What the transaction has read before anything is decided: its rows are locked. */
export interface Known {
  sessions: Map<string, WorkingSession>
  /** Those that exist. */
  projects: Map<string, { settingsVersion: number; state: ProjectState }>
  /** By `keyOf`: what keys stand for already, with the session's state. */
  outcomes: Map<string, KnownOutcome>
}

export interface KnownOutcome extends Pick<AppendResult, 'summary' | 'first' | 'position' | 'prompt'> {
  hash: string
  session: string
}

export const keyOf = ({ scope, key }: { scope: string; key: string }): string => JSON.stringify([scope, key])

/** One that changed the list of its project; it gets its revision at the end. */
export interface Listed {
  project: string
  session: string
  value: AppendResult
  /** Those who see the session no more. */
  losers: Audience | undefined
  now: number
}

/** What the requests of one transaction come to, decided one after the other; each sees its predecessors. */
export class AppendState {
  readonly listed: Listed[] = []
  readonly audit: AuditColumns[] = []
  readonly remembered: { request: AppendRequest; outcome: KnownOutcome }[] = []
  readonly #known: Known

  constructor(known: Known) {
    this.#known = known
  }

  get sessions(): WorkingSession[] {
    return [...this.#known.sessions.values()]
  }

  /** Never throws: a refused request changes nothing for the others. */
  decide(request: AppendRequest): Outcome {
    try {
      return { value: this.#decide(request) }
    } catch (error) {
      return { error }
    }
  }

  #decide(request: AppendRequest): AppendResult {
    const replayed = this.#replay(request)
    if (replayed !== undefined) return replayed
    const { sessions } = this.#known
    const working = sessions.get(request.session)
    const before = working?.state
    checkPlace(request, before)
    this.#checkProject(request, before)
    const at = new Date(request.now).toISOString()
    const { events, state } = decide(before, request.command, {
      at,
      turn: request.turn,
      secrets: request.secrets,
    })
    const columns = sessionColumns(state)
    const stored = events.map((event) => ({ event, json: JSON.stringify(event), request }))
    const lines: Line[] = stored.map(({ event: { seq }, json }) => ({ seq, json }))
    const position = before?.summary.queue.length ?? 0
    const value = resultOf({ events, lines, state, summary: columns.summary, position })
    const next = working ?? { number: undefined, before: undefined, state, columns, events: [] }
    Object.assign(next, { state, columns })
    next.events.push(...stored)
    sessions.set(request.session, next)
    if (before === undefined || !sameListed(before.summary, state.summary))
      this.listed.push({
        project: state.summary.project,
        session: request.session,
        value,
        losers: before === undefined ? undefined : losersOf(before, state),
        now: request.now,
      })
    this.#remember(request, value)
    const audit = auditOf(request, value)
    if (audit !== undefined) this.audit.push(auditRow(audit))
    return value
  }

  #checkProject({ command, settingsVersion }: AppendRequest, before: SessionState | undefined): void {
    const { projects } = this.#known
    const name = command.kind === 'create' ? command.project : before?.summary.project
    if (name === undefined) return
    if (needsOpenProject(command.kind)) checkOpen(name, projects.get(name)?.state)
    if (before !== undefined && settingsVersion !== undefined)
      checkSettings(settingsVersion, projects.get(name)?.settingsVersion, name)
  }

  #replay({ idempotency }: AppendRequest): AppendResult | undefined {
    const known = idempotency === undefined ? undefined : this.#known.outcomes.get(keyOf(idempotency))
    if (idempotency === undefined || known === undefined) return undefined
    if (known.hash !== idempotency.hash) throw keyMismatch(idempotency.key)
    const { session, summary, first, position, prompt } = known
    const state = this.#known.sessions.get(session)?.state
    if (state === undefined) throw sessionNotFound(session)
    return { summary, first, position, prompt, state, lines: [], replayed: true }
  }

  #remember(request: AppendRequest, { summary, first, position, prompt }: AppendResult): void {
    const { idempotency, session } = request
    if (idempotency === undefined) return
    const outcome = { hash: idempotency.hash, session, summary, first, position, prompt }
    this.#known.outcomes.set(keyOf(idempotency), outcome)
    this.remembered.push({ request, outcome })
  }
}
