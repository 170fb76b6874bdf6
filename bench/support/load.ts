import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Options } from 'autocannon'

const program = fileURLToPath(new URL('load-process.ts', import.meta.url))

export interface LoadResult {
  p50: number
  p99: number
  rate: number
  total: number
  errors: number
  non2xx: number
}

/** Load from a process of its own. With `overallRate` it is open: latency counts from when a request was due. */
export const load = async (options: Options): Promise<LoadResult> => {
  const child = fork(program)
  const answer = once(child, 'message')
  const ended = once(child, 'exit')
  child.send(options)
  const [result] = (await answer) as [LoadResult]
  await ended
  if (result.non2xx > 0) throw new Error(`${result.non2xx} answers to ${options.url} were not 2xx`)
  return result
}
