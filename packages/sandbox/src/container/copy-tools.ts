import { cp, mkdir } from 'node:fs/promises'
import { join } from 'node:path'

/** What an image of somebody else's needs to be an agent's: Claude Code, Node, the launcher, git's helper. */
const tools = ['claude', 'node', 'launcher', 'bin'] as const

/** Copies the tools of Berth's image to a directory, with what links point to in place of the links. */
export const copyTools = async (from: string, to: string): Promise<void> => {
  await mkdir(to, { recursive: true })
  for (const tool of tools) await cp(join(from, tool), join(to, tool), { recursive: true, dereference: true })
}
