import type { RunnerClient } from '@berth/client'
import { isBerthError } from '@berth/contract'
import type { Contact } from './outbox/contact.ts'

export interface HeartbeatOptions {
  home: Pick<RunnerClient, 'heartbeat'>
  contact: Contact
  usage(): { memoryBytes: number; cpuMs: number; processes: number } | undefined
  onFenced(): void
  /** Called after each beat that failed, with the time since the last contact. */
  onAway(ms: number): void
  /** Default 5000. */
  intervalMs?: number
}

/** Says every few seconds that the runner lives. Returns the function that ends it. */
export const startHeartbeat = (options: HeartbeatOptions): (() => void) => {
  const { home, contact, intervalMs = 5000 } = options
  const ended = new AbortController()
  let busy = false
  const beat = async () => {
    if (busy) return
    busy = true
    try {
      const { memoryBytes, cpuMs, processes } = options.usage() ?? {}
      const body = {
        ...(memoryBytes === undefined ? {} : { memoryBytes: Math.round(memoryBytes) }),
        ...(cpuMs === undefined ? {} : { cpuMs: Math.round(cpuMs) }),
        ...(processes === undefined ? {} : { processes }),
      }
      await home.heartbeat(body, { signal: ended.signal, timeoutMs: intervalMs })
      contact.ok()
    } catch (error) {
      if (ended.signal.aborted) return
      if (isBerthError(error) && error.code === 'fenced') return options.onFenced()
      contact.failed()
      options.onAway(contact.awayMs())
    } finally {
      busy = false
    }
  }
  const timer = setInterval(() => void beat(), intervalMs)
  void beat()
  return () => {
    clearInterval(timer)
    ended.abort()
  }
}
