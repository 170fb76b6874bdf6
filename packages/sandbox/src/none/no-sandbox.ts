import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { statSync } from 'node:fs'
import { CommandRefused, checkCommand, requireMainThread } from '../command.ts'
import { compileLimits } from '../limits.ts'
import type { Sandbox, SandboxCommand, SandboxedProcess } from '../sandbox.ts'
import { childExit, detached, failedProcess, supervise } from '../supervise.ts'
import { DescendantTracker } from './descendants.ts'

export interface NoSandboxOptions {
  /** From a polite signal to the end of everything, in ms. Default 2000. */
  graceMs?: number
}

/** The variable by which its processes are found again; the one addition to a command's environment. */
const MARKER = 'BERTH_PROCESS'

/**
 * No isolation at all: the command runs as the driver's user with everything that it may do. Mounts are
 * ignored, and so are all limits but `wallClockMs`; the door stays where it is outside. Ending a command ends
 * its process group and all processes that carry its marker. For systems without bubblewrap, and only when
 * the operator has asked for it.
 */
export function createNoSandbox(options: NoSandboxOptions = {}): Sandbox {
  const { graceMs = 2000 } = options
  return {
    kind: 'none',
    check: async () => ({
      ok: true,
      detail: 'UNSANDBOXED: the agent can read, change and send everything that this user can',
    }),
    spawn: (command) => start(command, graceMs),
  }
}

function start(command: SandboxCommand, graceMs: number): SandboxedProcess {
  requireMainThread()
  const limits = compileLimits(command.limits)
  try {
    checkCommand(command)
    // The error for a missing directory would blame the command.
    if (!statSync(command.cwd, { throwIfNoEntry: false })?.isDirectory()) {
      throw new CommandRefused(`Can't change to ${command.cwd}: there is no such directory.`)
    }
    const marker = randomUUID()
    const child = spawn(command.command, [...command.args], {
      cwd: command.cwd,
      env: { ...command.env, PWD: command.cwd, [MARKER]: marker },
      detached: true,
    })
    const tracker = new DescendantTracker(child.pid, `${MARKER}=${marker}`)
    const parts = {
      pid: child.pid,
      ended: childExit(child),
      stdin: child.stdin,
      stdout: detached(child.stdout),
      stderr: detached(child.stderr),
      watchMemory: false,
      signal: (signal: NodeJS.Signals) => void child.kill(signal),
      destroy: () => tracker.killAll(),
      usage: () => tracker.usage(),
      settle: async (exit: { code: number | null; signal: NodeJS.Signals | null }) => {
        await tracker.clear()
        return exit
      },
    }
    return supervise(parts, { limits, graceMs, signal: command.signal })
  } catch (error) {
    return failedProcess(error instanceof Error ? error.message : String(error))
  }
}
