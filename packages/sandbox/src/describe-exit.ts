import type { EffectiveLimits } from './limits.ts'
import type { SandboxExit, SandboxUsage } from './sandbox.ts'

/** Who ended the command, when it wasn't itself. */
export type EndCause = 'killed' | 'time-limit' | 'out-of-memory'

export interface RawExit {
  code: number | null
  signal: NodeJS.Signals | null
  /** Set when the command never ran: why. */
  failure?: string | undefined
  /** The sandbox around the command was ended by something that isn't Berth. */
  foreign?: boolean
}

export interface ExitFacts {
  raw: RawExit
  cause: EndCause | undefined
  usage: SandboxUsage | undefined
  limits: EffectiveLimits
}

const mebibytes = (bytes: number): string => `${Math.round(bytes / 1024 ** 2)} MiB`

/** Finds the reason for an end. What Berth did itself counts before what the kernel did. */
export function describeExit({ raw, cause, usage, limits }: ExitFacts): SandboxExit {
  const { code, signal } = raw
  const exit = (reason: SandboxExit['reason'], message: string): SandboxExit => ({
    code,
    signal,
    reason,
    message,
  })
  const how = signal ? `was ended by ${signal}` : `ended with code ${code}`
  if (raw.failure !== undefined) return exit('spawn-failed', `The command did not start: ${raw.failure}`)
  if (cause === 'time-limit') {
    return exit(
      'time-limit',
      `The command was ended because it ran for its time limit of ${limits.wallClockMs} ms.`,
    )
  }
  const clean = code === 0 && signal === null
  const kills = usage?.oomKills ?? 0
  if (cause === 'out-of-memory' || (cause === undefined && kills > 0 && !clean)) {
    const limit = `the command and what it started reached their memory limit of ${mebibytes(limits.memoryBytes)}`
    return exit('out-of-memory', `The command ${how}: ${limit}.`)
  }
  if (cause === 'killed')
    return exit('killed', `The command ${how} on request, with everything that it started.`)
  if (raw.foreign) return exit('killed', `The sandbox ${how} from outside, which took the command with it.`)
  const children =
    kills > 0 ? ` ${kills} of the processes that it started were killed at the memory limit.` : ''
  return exit('exit', `The command ${how}.${children}`)
}
