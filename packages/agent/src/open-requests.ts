import { limits } from '@berth/contract'
import type { Emit } from './fact.ts'

interface Waiting<T> {
  resolve(answer: T | undefined): void
}

/** Requests to people that wait for an answer. */
export interface OpenRequests<T> {
  /**
   * Waits for the answer to a request that `announce` reports. Undefined when it was withdrawn (the agent gave up, or
   * ended) or when too many wait.
   */
  ask(announce: (request: string) => void, signal: AbortSignal): Promise<T | undefined>
  /** False when no such request waits any more. */
  answer(request: string, answer: T): boolean
  withdrawAll(reason: string): void
}

/** Makes the list of open requests of one kind. */
export const createOpenRequests = <T>(deps: { emit: Emit; newId: () => string }): OpenRequests<T> => {
  const waiting = new Map<string, Waiting<T>>()

  const withdraw = (request: string, reason: string) => {
    const found = waiting.get(request)
    if (found === undefined) return
    waiting.delete(request)
    deps.emit({ type: 'request.withdrawn', data: { request, reason } })
    found.resolve(undefined)
  }

  return {
    async ask(announce, signal) {
      if (signal.aborted || waiting.size >= limits.openRequests) return undefined
      const request = deps.newId()
      const { promise, resolve } = Promise.withResolvers<T | undefined>()
      const onAbort = () => withdraw(request, 'The agent no longer waits for it.')
      waiting.set(request, { resolve })
      signal.addEventListener('abort', onAbort, { once: true })
      announce(request)
      return promise.finally(() => signal.removeEventListener('abort', onAbort))
    },
    answer(request, answer) {
      const found = waiting.get(request)
      waiting.delete(request)
      found?.resolve(answer)
      return found !== undefined
    },
    withdrawAll(reason) {
      for (const request of [...waiting.keys()]) withdraw(request, reason)
    },
  }
}
