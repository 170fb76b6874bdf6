/** Time and chance as the client uses them, so that tests can put their own. */
export interface Ambient {
  /** Milliseconds since 1970. */
  now(): number
  /** From 0 up to, not including, 1. */
  random(): number
  /** Resolves after `ms`, or early when `signal` aborts. Never rejects, leaves neither timer nor listener behind. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

const sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal?.aborted === true) return resolve()
    const done = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal?.addEventListener('abort', done)
  })

export const realAmbient: Ambient = { now: () => Date.now(), random: () => Math.random(), sleep }
