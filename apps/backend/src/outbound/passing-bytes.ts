import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Bytes between two collections: few enough to stay small, many enough that a collection of a millisecond is nothing. */
const between = 8 * 1024 ** 2

/** Of the process: its heap is one. */
let passed = 0
let collect: NodeJS.GCFunction | undefined

/**
 * Tells that bytes were passed on and are needed no more. What a socket reads lies outside of the heap, where V8 counts it as if
 * it were old: every few tens of MB it marks the whole heap for it, which takes longer than passing them on. A look at young
 * objects alone frees the same bytes.
 */
export const passedOn = (bytes: number): void => {
  passed += bytes
  if (passed < between) return
  passed = 0
  collect ??= collector()
  void collect({ type: 'minor' })
}

/** The flag only counts for contexts made after it, so that no code finds `gc` among its globals. */
const collector = (): NodeJS.GCFunction => {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as NodeJS.GCFunction
  setFlagsFromString('--no-expose-gc')
  return gc
}
