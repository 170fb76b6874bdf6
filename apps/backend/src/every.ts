import type { Clock, TimerHandle } from '@berth/runtime'

export interface Every {
  clock: Clock
  /** Between the end of one time and the beginning of the next. */
  ms: number
  /** Wait before the first time, too. Default: false. */
  later?: boolean
}

/**
 * Does something again and again, never twice at once. Gives what ends it, which waits for what is under way; called twice, it
 * waits twice. The task must not reject.
 */
export const every = (
  { clock, ms, later = false }: Every,
  task: () => Promise<unknown>,
): (() => Promise<void>) => {
  let timer: TimerHandle | undefined
  let running: Promise<unknown> = Promise.resolve()
  let isClosed = false
  const wait = () => {
    if (!isClosed) timer = clock.setTimeout(run, ms)
  }
  const run = () => {
    running = task().finally(wait)
  }
  if (later) wait()
  else run()
  return async () => {
    isClosed = true
    if (timer !== undefined) clock.clearTimeout(timer)
    await running
  }
}
