import type { EventData, RunnerFactBody } from '@berth/contract'
import type { SavedWorkspace } from '../workspace/save-trees.ts'
import type { ConversationFile } from './conversation-files.ts'
import type { MadeCheckpoint } from './make-checkpoint.ts'
import { StorageFull, TooMuch } from './upload.ts'

export type CheckpointReason = EventData<'checkpoint.saved'>['reason']

/** What is to be saved: files and transcript as they were at one moment. */
export interface CheckpointRequest {
  reason: CheckpointReason
  /** The turn after which it is. */
  turn?: string
  saved: SavedWorkspace
  conversation: { id: string; files: ConversationFile[] } | undefined
}

export interface CheckpointerOptions {
  /** Packs and stores; undefined: nothing is new since the last one. */
  make(request: CheckpointRequest): Promise<MadeCheckpoint | undefined>
  emit(body: RunnerFactBody): void
  signal: AbortSignal
  onProblem(error: unknown): void
  now(): number
  /** Wait before the next try when the blob store is full, in ms. Default: a minute. */
  fullMs?: number
}

/** Brings checkpoints into the blob store, one at a time, behind the turns. */
export interface Checkpointer {
  /** Asks for one. One that waits already is replaced: the newer has all that it has. */
  request(request: CheckpointRequest): void
  /** Resolves when nothing is under way or waits. */
  settled(): Promise<void>
}

export const createCheckpointer = (options: CheckpointerOptions): Checkpointer => {
  const { make, emit, signal, onProblem, now, fullMs = 60_000 } = options
  let waiting: CheckpointRequest | undefined
  let working: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  /** The last failure that was told: the same one is told once. */
  let told = ''
  const fail = (request: CheckpointRequest, message: string) => {
    if (message === told) return
    told = message
    emit({ type: 'checkpoint.failed', data: { reason: request.reason, message: message.slice(0, 4000) } })
  }
  const one = async (request: CheckpointRequest) => {
    const { saved, reason, turn } = request
    if (saved.problem !== undefined) return fail(request, cannot(saved.problem))
    const began = now()
    try {
      const made = await make(request)
      if (made === undefined) return
      told = ''
      const { omitted, ...ref } = made
      const ms = Math.round(now() - began)
      const left = omitted.length === 0 ? {} : { omitted: omitted.join('; ').slice(0, 1000) }
      emit({
        type: 'checkpoint.saved',
        data: { ...ref, ...(turn === undefined ? {} : { turn }), reason, ms, ...left },
      })
    } catch (error) {
      if (signal.aborted) return
      onProblem(error)
      fail(request, why(error))
      if (error instanceof StorageFull) later(request)
    }
  }
  const later = (request: CheckpointRequest) => {
    clearTimeout(timer)
    timer = setTimeout(() => waiting === undefined && working === undefined && start(request), fullMs)
    timer.unref()
  }
  const start = (request: CheckpointRequest) => {
    waiting = request
    working ??= work().finally(() => {
      working = undefined
    })
  }
  const work = async () => {
    for (let next = waiting; next !== undefined && !signal.aborted; next = waiting) {
      waiting = undefined
      await one(next)
    }
  }
  signal.addEventListener('abort', () => clearTimeout(timer))
  return {
    request(request) {
      clearTimeout(timer)
      start(request)
    },
    async settled() {
      await working
    },
  }
}

const cannot = (problem: string) =>
  `The files could not be saved as a checkpoint: ${problem}. The session goes on; what changed since the last checkpoint is ` +
  'only on the disk of its runner. Remove what is not needed, have it ignored by git, or raise the setting.'

const why = (error: unknown): string => {
  if (error instanceof StorageFull)
    return 'The blob store is full, so no checkpoint could be saved. The session goes on, and it is tried again when there is room.'
  if (error instanceof TooMuch)
    return cannot('what git keeps of it is larger than a checkpoint may be (setting checkpointMiB)')
  return `No checkpoint could be saved: ${error instanceof Error ? error.message : String(error)}. The session goes on, and the next turn tries again.`
}
