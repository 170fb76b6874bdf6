import type { RunnerClient } from '@berth/client'
import {
  type Answers,
  type AnyEvent,
  type CheckpointRef,
  type EventOf,
  isBerthError,
  type PermissionDecision,
  type WantedRepository,
} from '@berth/contract'

/** What the log can ask of a runner. Each is called once per event, in order. */
export interface Reactions {
  promptQueued(event: EventOf<'prompt.queued'>): void
  turnStarted(data: EventOf<'turn.started'>['data']): void
  interrupt(turn: string): void
  paused(turn: string): void
  decided(request: string, decision: PermissionDecision): void
  answered(request: string, answers: Answers): void
  operationRequested(data: EventOf<'operation.requested'>['data']): void
  operationCancelled(operation: string): void
  /** The session set something for itself. */
  settingsChanged(): void
  repositoryAdded(repository: WantedRepository): void
  repositoryRemoved(name: string): void
  repositoryRetried(name: string): void
  restoreRequested(checkpoint: CheckpointRef): void
  stop(reason: string): void
  deleted(): void
}

export interface InboxOptions {
  home: Pick<RunnerClient, 'events'>
  /** The last event before the first that counts. */
  after: number
  /** This runner's own generation: another one's start means that it is over. */
  generation: number
  reactions: Reactions
  signal: AbortSignal
  onFenced(): void
  onProblem(error: unknown): void
  /** Wait after the stream was refused, in ms. Default 2000. */
  retryMs?: number
}

/** A backend whose machine is gone says no word of it; its heartbeat is 10 s. */
const silenceMs = 25_000

/** Follows the session's log and reacts, until the signal aborts or a newer runner takes over. Never rejects. */
export const followInbox = async (options: InboxOptions): Promise<void> => {
  const { home, signal, retryMs = 2000 } = options
  let { after } = options
  const table = handlers(options)
  while (!signal.aborted) {
    try {
      for await (const event of home.events({ after, signal, silenceMs })) {
        if (event.seq <= after) continue
        after = event.seq
        const handle = table[event.type] as ((event: AnyEvent) => void) | undefined
        handle?.(event)
      }
    } catch (error) {
      if (isBerthError(error) && error.code === 'fenced') return options.onFenced()
      options.onProblem(error)
    }
    if (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, retryMs))
  }
}

type Handlers = { [T in AnyEvent['type']]?: (event: EventOf<Exclude<T, 'unknown'>>) => void }

const handlers = ({ reactions, generation, onFenced }: InboxOptions): Handlers => ({
  'prompt.queued': (event) => reactions.promptQueued(event),
  'turn.started': ({ data }) => reactions.turnStarted(data),
  'turn.interrupt_requested': ({ data }) => reactions.interrupt(data.turn),
  'turn.paused': ({ data }) => reactions.paused(data.turn),
  'permission.decided': ({ data }) => reactions.decided(data.request, data.decision),
  'question.answered': ({ data }) => reactions.answered(data.request, data.answers),
  'operation.requested': ({ data }) => reactions.operationRequested(data),
  'operation.cancelled': ({ data }) => reactions.operationCancelled(data.operation),
  'session.settings_changed': () => reactions.settingsChanged(),
  'repository.added': ({ data, seq }) => reactions.repositoryAdded({ ...data.repository, since: seq }),
  'repository.removed': ({ data }) => reactions.repositoryRemoved(data.name),
  'repository.retried': ({ data }) => reactions.repositoryRetried(data.name),
  'workspace.restore_requested': ({ data }) => reactions.restoreRequested(data.checkpoint),
  'session.stop_requested': ({ data }) => reactions.stop(data.reason),
  'session.deleted': () => reactions.deleted(),
  'generation.started': ({ data }) => {
    if (data.generation > generation) onFenced()
  },
})
