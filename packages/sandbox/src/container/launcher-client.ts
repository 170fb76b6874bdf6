import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { connect, connectWhenThere, LauncherAway } from './connect.ts'
import { parseTold } from './launcher-words.ts'
import { readLines } from './lines.ts'
import {
  type LaunchRequest,
  type Life,
  longestLine,
  type Order,
  type StreamName,
  type Told,
} from './protocol.ts'

const againMs = 100

/** A command at a launcher. */
export interface RemoteCommand {
  life: string | undefined
  stream(name: StreamName): Socket
  order(order: Order): void
  /** Ends it, whatever the launcher does. */
  drop(): void
  /** Resolves with the launcher's word on its end; undefined: the connection was lost. */
  ended: Promise<Extract<Told, { tell: 'exit' }> | undefined>
}

/** The launcher says that it can't be started. */
class LaunchFailed extends Error {
  override readonly name = 'LaunchFailed'
}

export interface LaunchOptions {
  socket: string
  request: Omit<LaunchRequest, 'id'>
  deadline: number
  signal: AbortSignal
  onUsage(usage: Extract<Told, { tell: 'usage' }>['usage']): void
}

/**
 * Starts a command, as soon as there is a launcher; one that goes away before it has started anything is waited for again.
 * Rejects with LaunchFailed, with LauncherAway, or with the signal's reason; then nothing runs.
 */
export async function launchRemote(options: LaunchOptions): Promise<RemoteCommand> {
  for (;;) {
    const started = await tryToLaunch(options)
    if (started !== undefined) return started
    if (performance.now() > options.deadline)
      throw new LauncherAway(`the launcher at ${options.socket} goes away before it starts anything.`)
    await delay(againMs)
  }
}

async function tryToLaunch(options: LaunchOptions): Promise<RemoteCommand | undefined> {
  const { socket, deadline, signal, onUsage } = options
  const request = { ...options.request, id: randomUUID() }
  const control = await connectWhenThere(socket, { open: 'command', request }, { deadline, signal })
  const begun = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<Extract<Told, { tell: 'exit' }> | undefined>()
  let life: string | undefined
  readLines(control, {
    longest: () => longestLine,
    take(line) {
      const told = parseTold(line)
      if (told?.tell === 'life') life = told.life
      if (told?.tell === 'started') begun.resolve()
      if (told?.tell === 'failed') begun.reject(new LaunchFailed(told.message))
      if (told?.tell === 'usage') onUsage(told.usage)
      if (told?.tell === 'exit') ended.resolve(told)
    },
  })
  const lost = (): void => {
    control.destroy()
    begun.resolve()
    ended.resolve(undefined)
  }
  control.once('end', lost).once('close', lost)
  const late = setTimeout(() => control.destroy(), Math.max(0, deadline - performance.now()))
  const abort = (): void => void control.destroy()
  signal.addEventListener('abort', abort)
  const streams: Partial<Record<StreamName, Socket>> = {}
  try {
    const complete = await Promise.all(
      (['stdin', 'stdout', 'stderr'] as const).map(async (stream) => {
        streams[stream] = await connect(socket, { open: 'stream', stream, of: request.id })
      }),
    ).then(
      () => true,
      () => false,
    )
    if (!complete) control.destroy()
    await begun.promise
    signal.throwIfAborted()
    const { stdin, stdout, stderr } = streams
    // With all streams it may have run, though nobody said so: it is not started twice.
    if (!complete || !stdin || !stdout || !stderr) {
      for (const stream of Object.values(streams)) stream?.destroy()
      return undefined
    }
    const all = { stdin, stdout, stderr }
    return {
      life,
      stream: (name) => all[name],
      order: (order) => control.writable && void control.write(`${JSON.stringify(order)}\n`),
      drop: () => void control.destroy(),
      ended: ended.promise,
    }
  } catch (error) {
    control.destroy()
    for (const stream of Object.values(streams)) stream?.destroy()
    throw error
  } finally {
    clearTimeout(late)
    signal.removeEventListener('abort', abort)
  }
}

/** The life of the launcher that listens, as soon as one does that is not `known`; undefined when none does in time. */
export async function nextLife(
  socket: string,
  known: string | undefined,
  patience: { deadline: number; signal: AbortSignal },
): Promise<Life | undefined> {
  while (performance.now() < patience.deadline && !patience.signal.aborted) {
    const found = await askLife(socket, patience).catch(() => undefined)
    if (found !== undefined && found.life !== known) return found
    await delay(againMs)
  }
  return undefined
}

async function askLife(
  socket: string,
  patience: { deadline: number; signal: AbortSignal },
): Promise<Life | undefined> {
  const connection = await connectWhenThere(socket, { open: 'hello' }, patience)
  try {
    return await new Promise<Life | undefined>((resolve) => {
      const late = setTimeout(() => resolve(undefined), Math.max(0, patience.deadline - performance.now()))
      connection.once('close', () => resolve(undefined)).once('end', () => resolve(undefined))
      readLines(connection, {
        longest: () => longestLine,
        take(line) {
          const told = parseTold(line)
          clearTimeout(late)
          resolve(told?.tell === 'life' ? told : undefined)
        },
      })
    })
  } finally {
    connection.destroy()
  }
}
