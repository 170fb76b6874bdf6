import type { Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import type { RawExit } from '../describe-exit.ts'
import type { EffectiveLimits } from '../limits.ts'
import type { SandboxCommand, SandboxUsage } from '../sandbox.ts'
import type { SupervisedParts } from '../supervise.ts'
import { launchRemote, nextLife, type RemoteCommand } from './launcher-client.ts'
import type { LaunchLimits } from './protocol.ts'

export interface RemoteOptions {
  command: SandboxCommand
  limits: EffectiveLimits
  /** The same as the container is told them. */
  launchLimits: LaunchLimits
  socket: string
  /** How long a launcher that is not there is waited for. */
  waitMs: number
}

/** From an order to end everything to the word that nothing is left; later the launcher is given up. */
const endMs = 10_000
/** How long the container that a command was lost with is waited for, to hear what became of it. */
const lossMs = 20_000
/** Streams of a command that has ended are closed when they bring nothing for so long. */
const quietMs = 5000
/** From here on a container that vanished counts as killed for its memory. */
const nearLimit = 0.9

const killed: RawExit = { code: null, signal: 'SIGKILL' }

/** Starts a command at a launcher; what is written to it before it runs waits. */
export function startRemote(options: RemoteOptions): SupervisedParts {
  const stdin = new PassThrough()
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const given = new AbortController()
  let remote: RemoteCommand | undefined
  let usage: SandboxUsage | undefined
  const onUsage = (now: SandboxUsage): void => {
    usage = now
  }
  const destroy = (): void => {
    given.abort()
    remote?.order({ end: true })
    setTimeout(() => remote?.drop(), endMs).unref()
  }
  const run = async (): Promise<RawExit> => {
    try {
      remote = await begin(options, { signal: given.signal, onUsage })
    } catch (error) {
      for (const output of [stdout, stderr]) output.end()
      if (given.signal.aborted) return killed
      return { code: null, signal: null, failure: error instanceof Error ? error.message : String(error) }
    }
    stdin.pipe(remote.stream('stdin'))
    const closers = [
      deliver(remote.stream('stdout'), stdout),
      deliver(remote.stream('stderr'), stderr),
      () => void remote?.stream('stdin').destroy(),
    ]
    const exit = await remote.ended
    for (const close of closers) close()
    usage = exit?.usage ?? usage
    if (exit !== undefined) return { code: exit.code, signal: exit.signal as NodeJS.Signals | null }
    if (given.signal.aborted) return killed
    const late = await outOfMemory(options, { remote, usage })
    if (!late) return { ...killed, foreign: true }
    const last = usage ?? { memoryBytes: options.limits.memoryBytes, cpuMs: 0, processes: 0, oomKills: 0 }
    usage = { ...last, oomKills: last.oomKills + 1 }
    return killed
  }
  return {
    pid: undefined,
    ended: run(),
    ...{ stdin, stdout, stderr },
    signal: (signal) => (remote === undefined ? given.abort() : remote.order({ signal })),
    destroy,
    settle: async (exit) => exit,
    usage: () => usage,
    watchMemory: false,
  }
}

const begin = (
  { command, launchLimits, socket, waitMs }: RemoteOptions,
  more: { signal: AbortSignal; onUsage(now: SandboxUsage): void },
): Promise<RemoteCommand> => {
  const { args, cwd, env } = command
  return launchRemote({
    socket,
    request: { command: command.command, args, cwd, env, limits: launchLimits },
    deadline: performance.now() + waitMs,
    ...more,
  })
}

/**
 * The container vanished without a word. The kernel kills it as a whole when it reaches its memory limit; what comes up
 * in its place knows that the one before had no time to note an end.
 */
async function outOfMemory(
  { socket, limits }: RemoteOptions,
  { remote, usage }: { remote: RemoteCommand; usage: SandboxUsage | undefined },
): Promise<boolean> {
  const patience = { deadline: performance.now() + lossMs, signal: new AbortController().signal }
  const next = await nextLife(socket, remote.life, patience)
  if (next !== undefined) return next.before === 'killed'
  return (usage?.memoryBytes ?? 0) >= limits.memoryBytes * nearLimit
}

/**
 * Passes on what a stream brings, as fast as it is read. Returns what is called after the command's end: the stream
 * ends by itself then; one that something holds open without using it is closed.
 */
function deliver(from: Socket, to: PassThrough): () => void {
  from.pipe(to)
  from.once('close', () => to.end())
  to.once('close', () => from.destroy())
  return () => {
    let seen = -1
    const timer = setInterval(() => {
      if (from.bytesRead === seen && to.readableLength === 0) from.destroy()
      seen = from.bytesRead
    }, quietMs)
    timer.unref()
    from.once('close', () => clearInterval(timer))
  }
}
