import type { RunnerClient } from '@berth/client'
import { isBerthError, type RunnerWelcome } from '@berth/contract'
import type { Contact } from './outbox/contact.ts'

export interface HelloOptions {
  home: Pick<RunnerClient, 'hello'>
  contact: Contact
  /** For how long the backend may be away. */
  patienceMs: number
  signal: AbortSignal
  onProblem(error: unknown): void
}

/** Says hello until the backend answers. Rejects with `fenced`, or with the last error when patience is over. */
export const sayHello = async (options: HelloOptions): Promise<RunnerWelcome> => {
  const { home, contact, patienceMs, signal } = options
  for (let delay = 100; ; delay = Math.min(delay * 2, 5000)) {
    try {
      const welcome = await home.hello({ signal })
      contact.ok()
      return welcome
    } catch (error) {
      if (isBerthError(error) && error.code === 'fenced') throw error
      if (contact.failed()) options.onProblem(error)
      if (signal.aborted || contact.awayMs() > patienceMs) throw error
      await new Promise((resolve) => setTimeout(resolve, delay))
    }
  }
}
