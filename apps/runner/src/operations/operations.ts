import { limits, type OperationRequest, preview, type RunnerFactBody } from '@berth/contract'
import {
  OperationFailed,
  type OperationHandler,
  type OperationHandlers,
  type OperationKind,
} from './handlers.ts'

export interface OperationsOptions {
  handlers: OperationHandlers
  emit(body: RunnerFactBody): void
  /** Aborts when the runner ends. */
  over: AbortSignal
  onProblem(error: unknown): void
}

/** What people asked the runner to do with the workspace. */
export interface Operations {
  /** Does it and tells what came of it, in time. Never throws. */
  request(operation: string, request: OperationRequest): void
  /** Nobody waits for it any more: it is given up. */
  cancel(operation: string): void
}

/** Operations that are done at once; the others wait. */
const parallel = 4

export const createOperations = ({ handlers, emit, over, onProblem }: OperationsOptions): Operations => {
  const open = new Map<string, AbortController>()
  const slots = createSlots(parallel)
  let changes: Promise<void> = Promise.resolve()

  const perform = async (operation: string, request: OperationRequest, abort: AbortController) => {
    const handler = handlers[request.kind] as OperationHandler<OperationKind> | undefined
    if (handler === undefined)
      throw new OperationFailed('refused', `This runner does not know the operation ${request.kind}.`)
    const signal = AbortSignal.any([abort.signal, over, AbortSignal.timeout(handler.timeoutMs)])
    const run = () => slots.use(signal, () => handler.run(request, { operation, signal }))
    if (!handler.changes) return run()
    const mine = changes.then(run)
    changes = mine.then(
      () => undefined,
      () => undefined,
    )
    return mine
  }

  return {
    request(operation, request) {
      const abort = new AbortController()
      open.set(operation, abort)
      perform(operation, request, abort)
        .then(
          (result) => emit({ type: 'operation.completed', data: { operation, result } }),
          (error) => {
            if (!(error instanceof OperationFailed)) onProblem(error)
            if (!abort.signal.aborted && !over.aborted)
              emit({ type: 'operation.failed', data: { operation, error: told(error) } })
          },
        )
        .finally(() => open.delete(operation))
    },
    cancel: (operation) => open.get(operation)?.abort(),
  }
}

const told = (error: unknown) => {
  const { code, message } =
    error instanceof OperationFailed
      ? error
      : ({ code: 'failed', message: `The runner could not do it: ${String(error)}` } as const)
  return { code, message: preview(message, limits.message) }
}

/** Lets a number of tasks run at once. One whose signal aborts before its turn fails. */
const createSlots = (count: number) => {
  let free = count
  const waiting: (() => void)[] = []
  return {
    async use<T>(signal: AbortSignal, task: () => Promise<T>): Promise<T> {
      if (free > 0) free -= 1
      else await new Promise<void>((resolve) => waiting.push(resolve))
      try {
        if (signal.aborted) throw new OperationFailed('failed', 'It could not be begun in time.')
        return await task()
      } finally {
        const next = waiting.shift()
        if (next === undefined) free += 1
        else next()
      }
    },
  }
}
