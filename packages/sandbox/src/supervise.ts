import type { ChildProcess } from 'node:child_process'
import { PassThrough, Readable, Writable } from 'node:stream'
import type { EndCause, RawExit } from './describe-exit.ts'
import { describeExit } from './describe-exit.ts'
import type { EffectiveLimits } from './limits.ts'
import { compileLimits } from './limits.ts'
import type { SandboxedProcess, SandboxUsage } from './sandbox.ts'

/** What an adapter knows about its process; `supervise` makes the port's promises out of it. */
export interface SupervisedParts {
  pid: number | undefined
  /** Resolves once with how the command's own process ended, or why there is none. Never rejects. */
  ended: Promise<RawExit>
  stdin: Writable
  stdout: Readable
  stderr: Readable
  /** Sends a signal to the command alone. */
  signal(signal: NodeJS.Signals): void
  /** Ends the command and all that it started, now. */
  destroy(): void
  /** Called once after that: ends and awaits what is left, then says how the command ended. */
  settle(exit: RawExit): Promise<RawExit>
  usage(): SandboxUsage | undefined
  /** Looks from time to time whether memory is over its limit; for adapters without a kernel that does. */
  watchMemory: boolean
}

export interface SuperviseOptions {
  limits: EffectiveLimits
  /** From a polite signal to SIGKILL, in ms. */
  graceMs: number
  signal: AbortSignal | undefined
}

const MEMORY_WATCH_MS = 250

/** Time limit, abort, kill with grace, and the reason of the end, over an adapter's parts. */
export function supervise(parts: SupervisedParts, options: SuperviseOptions): SandboxedProcess {
  const { stdin } = parts
  const timers: NodeJS.Timeout[] = []
  let cause: EndCause | undefined
  let over = false
  // A command that ends while it is written to must not bring its driver down.
  stdin.on('error', () => undefined)

  const end = (because: EndCause, signal: NodeJS.Signals): void => {
    if (over) return
    cause ??= because
    if (signal !== 'SIGKILL') {
      parts.signal(signal)
      timers.push(setTimeout(parts.destroy, options.graceMs))
    } else parts.destroy()
  }
  const abort = (): void => end('killed', 'SIGTERM')
  const { wallClockMs, memoryBytes } = options.limits
  if (wallClockMs !== undefined) timers.push(setTimeout(() => end('time-limit', 'SIGTERM'), wallClockMs))
  if (parts.watchMemory) {
    const look = (): void => {
      if ((parts.usage()?.memoryBytes ?? 0) > memoryBytes) end('out-of-memory', 'SIGKILL')
    }
    timers.push(setInterval(look, MEMORY_WATCH_MS).unref())
  }
  options.signal?.addEventListener('abort', abort, { once: true })

  const exited = parts.ended.then(async (exit) => {
    over = true
    for (const timer of timers) clearTimeout(timer)
    options.signal?.removeEventListener('abort', abort)
    const raw = await parts.settle(exit)
    return describeExit({ raw, cause, usage: parts.usage(), limits: options.limits })
  })
  if (options.signal?.aborted) abort()
  return {
    pid: parts.pid,
    stdin,
    stdout: parts.stdout,
    stderr: parts.stderr,
    kill: (signal = 'SIGTERM') => end('killed', signal),
    exited,
    usage: parts.usage,
  }
}

/** Passes output on. Node throws away what a child's own stream still holds when the child ends unread. */
export function detached(output: Readable): Readable {
  return output.pipe(new PassThrough())
}

/** How a process that was started here ends. */
export function childExit(child: ChildProcess): Promise<RawExit> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }))
    child.once('error', (error) => {
      if (child.pid === undefined) resolve({ code: null, signal: null, failure: error.message })
    })
  })
}

/** A process that never started: its output is empty and its exit tells why. */
export function failedProcess(failure: string): SandboxedProcess {
  const raw = { code: null, signal: null, failure }
  return {
    pid: undefined,
    stdin: new Writable({ write: (_chunk, _encoding, done) => done() }),
    stdout: Readable.from([]),
    stderr: Readable.from([]),
    kill: () => undefined,
    exited: Promise.resolve(
      describeExit({ raw, cause: undefined, usage: undefined, limits: compileLimits() }),
    ),
    usage: () => undefined,
  }
}
