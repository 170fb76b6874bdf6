import { CommandRefused, checkCommand, requireMainThread } from '../command.ts'
import { compileLimits } from '../limits.ts'
import { findProgram, isExecutable } from '../process/find-program.ts'
import type { Sandbox, SandboxCommand, SandboxedProcess } from '../sandbox.ts'
import { seccompFilter } from '../seccomp/filter.ts'
import { failedProcess, supervise } from '../supervise.ts'
import { checkBubblewrap } from './check.ts'
import { findLimitMode, holderFor, type LimitMode } from './limit-mode.ts'
import { startBubblewrap } from './start.ts'
import { readSystemFiles, type SystemFiles } from './system-files.ts'

export interface BubblewrapOptions {
  /** The program. Default: `bwrap` in this process's PATH. */
  bwrap?: string
  /** From a polite signal to the end of everything, in ms. Default 2000. */
  graceMs?: number
  /** `rlimits` leaves control groups alone even where they are writable. Default `auto`. */
  limitBy?: 'auto' | 'rlimits'
}

/** Found out once, at the first use, since it costs some milliseconds. */
interface Surroundings {
  bwrap: string | undefined
  filter: Uint8Array | undefined
  system: SystemFiles
  mode: LimitMode
}

function look(options: BubblewrapOptions): Surroundings {
  const { bwrap = findProgram('bwrap', process.env.PATH ?? '') } = options
  return {
    bwrap: bwrap !== undefined && isExecutable(bwrap) ? bwrap : undefined,
    filter: seccompFilter(process.arch),
    system: readSystemFiles(),
    mode: findLimitMode(options.limitBy ?? 'auto'),
  }
}

/**
 * Linux namespaces by bubblewrap 0.8 or newer: a read-only system, the mounts of the command and nothing
 * else of the machine, no network, no capabilities, a filter for system calls. The sandbox dies with its
 * driver, even when that is killed.
 */
export function createBubblewrapSandbox(options: BubblewrapOptions = {}): Sandbox {
  const { graceMs = 2000 } = options
  let surroundings: Surroundings | undefined
  const around = (): Surroundings => {
    surroundings ??= look(options)
    return surroundings
  }
  const spawn = (command: SandboxCommand): SandboxedProcess => {
    requireMainThread()
    const limits = compileLimits(command.limits)
    try {
      checkCommand(command)
      const { bwrap, filter, system, mode } = around()
      if (!bwrap) throw new CommandRefused('bubblewrap (bwrap) is not installed.')
      if (!filter) throw new CommandRefused(`there is no filter for system calls on ${process.arch}.`)
      if (mode.kind === 'impossible') throw new CommandRefused(mode.problem)
      const holder = holderFor(mode, limits)
      try {
        const parts = startBubblewrap(command, limits, { tools: { bwrap, filter, system }, holder })
        return supervise(parts, { limits, graceMs, signal: command.signal })
      } catch (error) {
        void holder.release(undefined)
        throw error
      }
    } catch (error) {
      return failedProcess(error instanceof Error ? error.message : String(error))
    }
  }
  return {
    kind: 'bubblewrap',
    check: () => {
      // What was missing may be there by now.
      surroundings = undefined
      return checkBubblewrap({ around, spawn })
    },
    spawn,
  }
}
