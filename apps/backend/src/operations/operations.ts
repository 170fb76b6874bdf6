import {
  type Actor,
  BerthError,
  type Event,
  type OperationRequest,
  type OperationResult,
  type SessionState,
} from '@berth/contract'
import { backendActor } from '../session/decide.ts'
import { notFound, type SessionService } from '../session/service.ts'
import type { AuditDraft } from '../store/audit-store.ts'
import type { Store } from '../store/port.ts'
import { operationFailure } from './failure.ts'
import { Watcher } from './watcher.ts'

export interface OperationsOptions {
  store: Pick<Store, 'watch' | 'events' | 'state'>
  service: Pick<SessionService, 'run' | 'newId'>
  /** Milliseconds that a runner may take to be there, and then to answer; ten times as many where large files travel. Default: 30,000. */
  timeoutMs?: number
}

export interface OperationCall<R extends OperationRequest = OperationRequest> {
  project: string
  session: string
  actor: Actor
  request: R
  /** The operation's id, where bytes lie under it already. Default: a new one. */
  operation?: string
  /** Large files travel, so it may take long. */
  bulk?: boolean
  /** Recorded with the request, whatever comes of it. */
  audit?: AuditDraft
  /** Whoever waits has gone: the operation is cancelled. */
  signal?: AbortSignal
}

type ResultOf<R extends OperationRequest> = Extract<OperationResult, { kind: R['kind'] }>

/** Bytes of a look into the log. */
const lookBytes = 1024 * 1024

/**
 * Lets the runner of a live session do something with its workspace, and gives what came of it. The request and its
 * answer are events: any backend may append the one and see the other. Waits for a runner that is about to be there.
 */
export class Operations {
  readonly #options: OperationsOptions
  readonly #watcher: Watcher

  constructor(options: OperationsOptions) {
    this.#options = options
    this.#watcher = new Watcher(options.store)
  }

  /**
   * Rejects with `session_not_live` when no runner is there or about to be, or when it was lost before it answered, with
   * `operation_timeout` when it took too long (an answer that comes later is ignored), and with what the runner said.
   */
  async run<R extends OperationRequest>(call: OperationCall<R>): Promise<ResultOf<R>> {
    const { service, timeoutMs = 30_000 } = this.#options
    const { project, session, actor, request, operation = service.newId('operation') } = call
    const within = (ms: number) =>
      AbortSignal.any([AbortSignal.timeout(ms), ...(call.signal ? [call.signal] : [])])
    await this.#connected(call, within(timeoutMs))
    const signal = within(timeoutMs * (call.bulk === true ? 10 : 1))
    const command = { kind: 'operate', actor, operation, request } as const
    const { first } = await service.run({ session, project, command, audit: call.audit })
    const look = this.#answer(session, { operation, after: first })
    const answer =
      (await this.#watcher.until(session, look, signal)) ?? (await this.#giveUp(call, operation, look))
    if (answer.type === 'operation.completed' && answer.data.result.kind === request.kind)
      return answer.data.result as ResultOf<R>
    throw operationFailure(answer)
  }

  /** Ends all waiting; the operations go on. */
  close(): void {
    this.#watcher.close()
  }

  /** Waits while a runner is about to be there. */
  async #connected({ project, session }: OperationCall, signal: AbortSignal): Promise<void> {
    const look = async () => {
      const state = await this.#options.store.state(session)
      if (state === undefined || state.summary.project !== project) throw notFound(session)
      return isComing(state) ? undefined : true
    }
    if ((await this.#watcher.until(session, look, signal)) !== undefined) return
    throw new BerthError(
      'operation_timeout',
      'The session’s runner is not there yet. Look what the session waits for, then try again.',
    )
  }

  #answer(session: string, place: { operation: string; after: number }) {
    return async (): Promise<Answer | undefined> => {
      for (;;) {
        const range = { after: place.after, limit: 1000, maxBytes: lookBytes }
        const lines = await this.#options.store.events(session, range)
        const line = lines.find(({ json }) => isAnswer(json, place.operation))
        if (line !== undefined) return JSON.parse(line.json)
        place.after = lines.at(-1)?.seq ?? place.after
        if (lines.length === 0) return undefined
      }
    }
  }

  /** Takes the request back; an answer that came at the last moment counts. */
  async #giveUp(
    { session }: OperationCall,
    operation: string,
    look: () => Promise<Answer | undefined>,
  ): Promise<Answer> {
    const message = 'Nobody waits for it any more.'
    const command = { kind: 'cancel-operation', actor: backendActor, operation, message } as const
    await this.#options.service.run({ session, command })
    const answer = await look()
    if (answer !== undefined && answer.type !== 'operation.cancelled') return answer
    throw new BerthError(
      'operation_timeout',
      'The session’s runner did not answer in time. Try again in a moment.',
    )
  }
}

type Answer = Extract<Event, { type: 'operation.completed' | 'operation.failed' | 'operation.cancelled' }>

/** A runner is wanted and on its way, so that it pays to wait. */
export const isComing = ({
  connected,
  live,
  summary,
}: Pick<SessionState, 'connected' | 'live' | 'summary'>): boolean => {
  if (summary.desired !== 'running' || (live && connected)) return false
  return summary.status.phase === 'pending' || summary.status.phase === 'starting'
}

const isAnswer = (json: string, operation: string): boolean =>
  json.includes(`"${operation}"`) &&
  /"type":"operation\.(completed|failed|cancelled)"/.test(json) &&
  JSON.parse(json).data?.operation === operation
