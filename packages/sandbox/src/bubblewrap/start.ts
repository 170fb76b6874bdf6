import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { CommandRefused } from '../command.ts'
import type { RawExit } from '../describe-exit.ts'
import type { EffectiveLimits } from '../limits.ts'
import { commandBelow } from '../process/process-tree.ts'
import { decodeStatus, sendSignal } from '../process/signal.ts'
import type { SandboxCommand } from '../sandbox.ts'
import { childExit, detached, type SupervisedParts } from '../supervise.ts'
import { bubblewrapArguments } from './arguments.ts'
import type { Holder } from './holder.ts'
import { coveringInherited } from './inherited-descriptors.ts'
import { checkDoor, resolveMounts } from './mounts.ts'
import { statusChannel } from './status-channel.ts'
import type { SystemFiles } from './system-files.ts'
import { syntheticFiles } from './system-files.ts'
import { withUnlinkedFiles } from './unlinked-files.ts'

export interface StartTools {
  bwrap: string
  filter: Uint8Array
  system: SystemFiles
}

/** Descriptors in the child: 0 to 2 are its own, then these, then the files. */
const ARGS_FD = 3
const STATUS_FD = 4
const SECCOMP_FD = 5

const TAIL_BYTES = 2048

/** Passes a stream on unchanged and remembers its end. */
function withTail(source: Readable): { stream: Readable; tail(): string } {
  let kept = ''
  source.on('data', (chunk: Buffer) => {
    kept = (kept + chunk.toString('utf8')).slice(-TAIL_BYTES)
  })
  return { stream: detached(source), tail: () => kept.trim() }
}

/** Starts bubblewrap, held by `holder`. Throws CommandRefused before anything has started. */
export function startBubblewrap(
  command: SandboxCommand,
  limits: EffectiveLimits,
  { tools, holder }: { tools: StartTools; holder: Holder },
): SupervisedParts {
  const mounts = resolveMounts(command.mounts)
  if (command.door) checkDoor(command.door)
  const files = Object.entries(syntheticFiles(command.env.HOME))
  const descriptors = {
    seccomp: SECCOMP_FD,
    status: STATUS_FD,
    files: files.map(([path], index) => ({ path, descriptor: SECCOMP_FD + 1 + index })),
  }
  const options = bubblewrapArguments({ command, mounts, limits, system: tools.system, descriptors })
  const contents = [tools.filter, ...files.map(([, content]) => content)]
  // A terminal's Ctrl-C reaches the driver only (detached), which decides what becomes of the agent.
  const launch = { cwd: '/', env: {}, detached: true }
  const child = withUnlinkedFiles(contents, (fds) =>
    coveringInherited(['pipe', 'pipe', 'pipe', 'pipe', 'pipe', ...fds], (stdio) =>
      spawn('/bin/sh', launchLine(command, tools, holder), { ...launch, stdio }),
    ),
  )
  const argumentPipe = child.stdio[ARGS_FD] as Writable
  argumentPipe.on('error', () => undefined)
  argumentPipe.end(`${options.join('\0')}\0`)
  return parts(child, holder)
}

function launchLine(command: SandboxCommand, tools: StartTools, holder: Holder): string[] {
  const bwrap = [tools.bwrap, '--args', String(ARGS_FD), '--', ...holder.prefix]
  const script = `${holder.script}exec "$@"`
  return ['-c', script, 'berth-sandbox', ...holder.scriptArgs, ...bwrap, command.command, ...command.args]
}

function parts(child: ChildProcess, holder: Holder): SupervisedParts {
  const { stdin, stdout, stderr } = child
  if (!stdin || !stdout || !stderr) throw new CommandRefused('no pipes could be made for it.')
  const status = statusChannel(child.stdio[STATUS_FD] as Readable)
  const errors = withTail(stderr)
  const destroy = (): void => {
    child.kill('SIGKILL')
    holder.kill()
  }
  return {
    pid: child.pid,
    ended: childExit(child),
    stdin,
    stdout: detached(stdout),
    stderr: errors.stream,
    watchMemory: holder.watchMemory,
    signal: (signal) => {
      const { init } = status.current()
      const inner = init === undefined ? undefined : commandBelow(init)
      if (inner === undefined) destroy()
      else sendSignal(inner, signal)
    },
    destroy,
    usage: () => holder.usage(child.pid),
    settle: async (exit) => {
      await holder.release(status.current().init)
      if (exit.failure === undefined) await status.ended
      return outcome(exit, status.current().exitCode, errors.tail())
    },
  }
}

/** bubblewrap reports the command's status only when the command ran; otherwise its errors tell why not. */
function outcome(exit: RawExit, reported: number | undefined, errors: string): RawExit {
  if (exit.failure !== undefined) return exit
  if (exit.signal !== null) return { ...exit, foreign: true }
  const missing = /^prlimit: failed to execute (.*)$/m.exec(errors)?.[1]
  if (reported !== undefined && !((reported === 126 || reported === 127) && missing))
    return decodeStatus(reported)
  const failure = missing ?? errors.replaceAll(/^(bwrap|berth-sandbox): /gm, '')
  return { code: null, signal: null, failure: failure || `bubblewrap ended with code ${exit.code}` }
}
