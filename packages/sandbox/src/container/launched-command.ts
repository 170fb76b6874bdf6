import { type ChildProcess, spawn } from 'node:child_process'
import { statSync } from 'node:fs'
import type { Socket } from 'node:net'
import { findProgram, isExecutable } from '../process/find-program.ts'
import { ulimitScript } from '../process/rlimits.ts'
import { sendSignal } from '../process/signal.ts'
import { beginMeter, type Meter, ownThreads } from './meter.ts'
import {
  type LaunchLimits,
  type LaunchRequest,
  type Order,
  type StreamName,
  streamNames,
} from './protocol.ts'

/** A command that runs. */
export interface LaunchedCommand {
  pid: number
  meter: Meter
  order(order: Order): void
  /** Resolves with how its own process ended; what it started may still be there. */
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

export type Streams = Record<StreamName, Socket>

/** Why a command can't be started, for a person. */
class CannotStart extends Error {
  override readonly name = 'CannotStart'
}

const SHELL = '/bin/sh'

function programOf({ command, env, cwd }: LaunchRequest): string {
  if (!statSync(cwd, { throwIfNoEntry: false })?.isDirectory())
    throw new CannotStart(`Can't change to ${cwd}: there is no such directory.`)
  if (!isExecutable(SHELL)) throw new CannotStart(`the container's image has no ${SHELL}.`)
  const found = command.includes('/')
    ? isExecutable(command)
      ? command
      : undefined
    : findProgram(command, env.PATH ?? '')
  if (found !== undefined) return found
  throw new CannotStart(`${command}: there is no such program in the container.`)
}

/**
 * The kernel counts processes by user. What is there already, and is not this command's, comes on top; dash calls the limit
 * `-p`, bash `-u`, and neither knows the other's name for it.
 */
function limitScript(limits: LaunchLimits, others: number): string {
  const processes = limits.processes + others
  return [
    ulimitScript(
      {
        ...{ fileBytes: limits.fileBytes, openFiles: limits.openFiles, cpuSeconds: limits.cpuSeconds },
        memoryBytes: limits.dataBytes ?? 0,
      },
      limits.dataBytes !== undefined,
    ).trimEnd(),
    `ulimit -p ${processes} 2>/dev/null || ulimit -u ${processes}`,
    'exec "$@"',
  ].join('\n')
}

/** Starts a command with these streams, which are closed here: it alone has them then. Throws when it can't. */
export function launch(request: LaunchRequest, streams: Streams): LaunchedCommand {
  try {
    const { args, cwd, env, limits } = request
    const program = programOf(request)
    const meterOf = beginMeter()
    const child = spawn(
      SHELL,
      ['-c', limitScript(limits, ownThreads()), 'berth-launcher', program, ...args],
      {
        cwd,
        env: { ...env, PWD: cwd },
        // A session of its own, by which what it starts is known.
        detached: true,
        stdio: streamNames.map((name) => streams[name]),
      },
    )
    child.on('error', () => undefined)
    if (child.pid === undefined) throw new CannotStart('no process could be made for it.')
    return launched(child, child.pid, meterOf(child.pid))
  } finally {
    for (const name of streamNames) streams[name].destroy()
  }
}

function launched(child: ChildProcess, pid: number, meter: Meter): LaunchedCommand {
  return {
    pid,
    meter,
    order(order) {
      if ('end' in order) sendSignal(-pid, 'SIGKILL')
      else sendSignal(pid, order.signal as NodeJS.Signals)
    },
    ended: new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal }))),
  }
}
