import type { Clock, TimerHandle } from '@berth/runtime'
import type { Logger } from 'pino'
import type { Store } from '../store/port.ts'

const leaseMs = 60_000

export interface LeaseOptions {
  store: Store
  clock: Clock
  log: Logger
  /** What is held. */
  name: string
  /** Who holds it. */
  holder: string
}

/**
 * Works while it holds a lease, which is renewed for as long as the work takes. Undefined when another holds it. Rejects as
 * the work does, or when the store can't be asked.
 */
export const withLease = async <T>(options: LeaseOptions, work: () => Promise<T>): Promise<T | undefined> => {
  const { store, clock, log, name, holder } = options
  const take = () => store.lease(name, holder, { now: clock.now(), ttlMs: leaseMs })
  let timer: TimerHandle | undefined
  let done = false
  const renewLater = () => {
    timer = clock.setTimeout(() => void renew(), leaseMs / 3)
  }
  const renew = async () => {
    const held = await take().catch((error) =>
      log.warn({ lease: name, err: error }, 'A lease was not renewed'),
    )
    if (held === false) log.warn({ lease: name }, 'A lease was lost to another backend')
    if (!done) renewLater()
  }
  if (!(await take())) return undefined
  renewLater()
  try {
    return await work()
  } finally {
    done = true
    if (timer !== undefined) clock.clearTimeout(timer)
    const kept = (error: unknown) => log.warn({ lease: name, err: error }, 'A lease was not released')
    await store.release(name, holder).catch(kept)
  }
}
