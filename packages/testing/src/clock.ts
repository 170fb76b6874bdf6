import type { Clock, TimerHandle } from '@berth/runtime'

export interface ManualClock extends Clock {
  /**
   * Moves time on by `ms` and fires what is due, in order of time; when a timer fires, `now()` is its time. Await it:
   * before time moves and after each timer, promises go on, and the timers that they set within the span fire too.
   */
  advance(ms: number): Promise<void>
  /** Moves time on by `ms` at once, as for a machine that slept: what became due fires with the next `advance`, once. */
  leap(ms: number): void
  /** How many timers wait. */
  pending(): number
}

/** A clock that stands still until it is moved. `startMs`: milliseconds since 1970. */
export const createManualClock = (startMs = Date.UTC(2030, 0, 1)): ManualClock => {
  const timers = new Map<TimerHandle, { at: number; fn: () => void }>()
  let now = startMs

  const advance = async (ms: number): Promise<void> => {
    const end = now + ms
    await afterContinuations()
    for (let at = earliest(timers, end); at !== undefined; at = earliest(timers, end)) {
      now = Math.max(now, at)
      for (const [handle, timer] of timers) {
        if (timer.at <= now && timers.delete(handle)) timer.fn()
      }
      await afterContinuations()
    }
    now = Math.max(now, end)
  }

  return {
    now: () => now,
    setTimeout: (fn, ms) => {
      const handle: TimerHandle = { unref: () => undefined }
      timers.set(handle, { at: now + Math.max(0, ms), fn })
      return handle
    },
    clearTimeout: (handle) => void timers.delete(handle),
    advance,
    leap: (ms) => {
      now += ms
    },
    pending: () => timers.size,
  }
}

/** The time of the first timer that is due by `end`. */
const earliest = (timers: Map<TimerHandle, { at: number }>, end: number): number | undefined => {
  const due = [...timers.values()].map(({ at }) => at).filter((at) => at <= end)
  return due.length > 0 ? Math.min(...due) : undefined
}

const afterContinuations = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
