import { createConnection, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Opening } from './protocol.ts'

/** Nothing listens there, or nobody answers as a launcher would. */
export class LauncherAway extends Error {
  override readonly name = 'LauncherAway'
}

const firstDelayMs = 10
const longestDelayMs = 250

/** Connects once and says what for. Rejects when nothing listens. */
export function connect(socket: string, opening: Opening): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const connection = createConnection({ path: socket, allowHalfOpen: true })
    connection.once('error', reject)
    connection.once('connect', () => {
      connection.off('error', reject)
      // Whatever goes wrong later shows as its end.
      connection.on('error', () => undefined)
      connection.write(`${JSON.stringify(opening)}\n`)
      resolve(connection)
    })
  })
}

/** Connects as soon as something listens. Rejects with LauncherAway after that time, or with the signal's reason. */
export async function connectWhenThere(
  socket: string,
  opening: Opening,
  { deadline, signal }: { deadline: number; signal: AbortSignal },
): Promise<Socket> {
  for (let wait = firstDelayMs; ; wait = Math.min(wait * 2, longestDelayMs)) {
    signal.throwIfAborted()
    try {
      return await connect(socket, opening)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (performance.now() < deadline) await delay(wait, undefined, { signal }).catch(() => undefined)
      else throw new LauncherAway(`nothing answers at ${socket} (${code ?? 'unknown'}).`)
    }
  }
}
