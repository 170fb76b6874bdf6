import { lstat, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Layout } from '../layout.ts'

/**
 * Where Claude Code works, as it is seen from inside. It stays the same for the life of a session, because Claude Code
 * keeps conversations by directory: one that the agent removed is made again, and only where something else stands in its
 * place the workspace is taken.
 */
export const workingDirectory = async ({ inside, outside }: Layout, name: string): Promise<string> => {
  if (name === '') return inside.workspace
  const place = join(outside.workspace, name)
  const info = await lstat(place).catch(() => undefined)
  if (info === undefined) await mkdir(place, { mode: 0o770 })
  else if (!info.isDirectory()) return inside.workspace
  return join(inside.workspace, name)
}
