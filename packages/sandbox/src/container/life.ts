import { randomUUID } from 'node:crypto'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import type { Life } from './protocol.ts'

/** Where the first process of the container notes that its launcher ended by itself. */
export const endNote = (socket: string): string => `${socket}.end`

const lifeNote = (socket: string): string => `${socket}.life`

/**
 * Begins a life and says how the one before ended. The notes lie beside the socket, on a volume that outlives the
 * container: one that is killed as a whole, as the kernel does for its memory, has no time to note an end.
 */
export function beginLife(socket: string): Life {
  const lived = existsSync(lifeNote(socket))
  const ended = existsSync(endNote(socket))
  rmSync(endNote(socket), { force: true })
  const life = randomUUID()
  writeFileSync(lifeNote(socket), life)
  return { life, before: !lived ? 'none' : ended ? 'ended' : 'killed' }
}
