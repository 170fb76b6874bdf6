import { isBerthError, type LogLine, type LogSource, limits, logSource } from '@berth/contract'

/** Sends the log home as it grows. Never waits for the backend: what can't be sent in time is dropped, and said so. */
export interface LogShipper {
  push(line: Omit<LogLine, 'at'>): void
  /** Sends what is left, for at most so many ms; afterwards nothing is taken any more. */
  close(ms: number): Promise<void>
}

export interface ShipperOptions {
  send(lines: LogLine[], signal: AbortSignal): Promise<void>
  now(): Date
  /** Default 1000. */
  intervalMs?: number
}

/** Lines of one source that wait; the oldest give way. An agent that floods takes no place from the runner. */
const maxWaiting = 400
const slowestMs = 15_000

interface Waiting {
  lines: LogLine[]
  dropped: number
}

export const createLogShipper = ({ send, now, intervalMs = 1000 }: ShipperOptions): LogShipper => {
  const waiting = new Map(logSource.options.map((source): [LogSource, Waiting] => [source, nothing()]))
  const over = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let sending: Promise<boolean> | undefined
  let delay = intervalMs

  const put = (source: LogSource, lines: readonly LogLine[], older = false) => {
    const queue = waiting.get(source) ?? nothing()
    if (older) queue.lines.unshift(...lines)
    else queue.lines.push(...lines)
    const surplus = queue.lines.length - maxWaiting
    if (surplus > 0) queue.lines.splice(0, surplus)
    if (surplus > 0) queue.dropped += surplus
    waiting.set(source, queue)
  }
  const isEmpty = () => [...waiting.values()].every(({ lines, dropped }) => lines.length + dropped === 0)
  const take = (): LogLine[] => {
    const batch: LogLine[] = []
    const share = Math.floor(limits.logLinesPerBatch / waiting.size)
    for (const [source, queue] of waiting) {
      if (queue.dropped > 0) batch.push(droppedLine(source, queue.dropped, now()))
      queue.dropped = 0
      batch.push(...queue.lines.splice(0, share - 1))
    }
    return batch
  }
  /** True: more can be sent at once. */
  const flush = async (): Promise<boolean> => {
    const batch = take()
    if (batch.length === 0) return false
    try {
      await send(batch, over.signal)
      delay = intervalMs
      return true
    } catch (error) {
      if (isBerthError(error) && error.code === 'fenced') over.abort()
      if (over.signal.aborted) return false
      // What is refused for what it is would be refused again.
      if (!isBerthError(error) || error.code === 'unavailable')
        for (const source of logSource.options)
          put(
            source,
            batch.filter((line) => line.source === source),
            true,
          )
      delay = Math.min(delay * 2, slowestMs)
      return false
    }
  }
  const schedule = () => {
    if (timer !== undefined || over.signal.aborted) return
    timer = setTimeout(async () => {
      sending = flush()
      await sending
      sending = undefined
      timer = undefined
      if (!isEmpty()) schedule()
    }, delay)
    timer.unref()
  }
  return {
    push: (line) => {
      if (over.signal.aborted) return
      put(line.source, [{ at: now().toISOString(), ...line }])
      schedule()
    },
    close: async (ms) => {
      const late = setTimeout(() => over.abort(), ms)
      await sending
      clearTimeout(timer)
      while (!isEmpty() && (await flush()));
      clearTimeout(late)
      over.abort()
    },
  }
}

const nothing = (): Waiting => ({ lines: [], dropped: 0 })

const droppedLine = (source: LogSource, count: number, at: Date): LogLine => ({
  at: at.toISOString(),
  source,
  text: `… ${count} ${count === 1 ? 'line' : 'lines'} dropped: there were more than could be sent`,
})
