/** An abort of one's own that also follows a caller's signal. `unlink` when done: a caller's signal may live long. */
export interface LinkedAbort {
  signal: AbortSignal
  abort(reason?: unknown): void
  unlink(): void
}

export const linkAbort = (outer?: AbortSignal): LinkedAbort => {
  const controller = new AbortController()
  const follow = () => controller.abort(outer?.reason)
  if (outer?.aborted === true) follow()
  else outer?.addEventListener('abort', follow)
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    unlink: () => outer?.removeEventListener('abort', follow),
  }
}
