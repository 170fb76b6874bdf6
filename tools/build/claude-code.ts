import { copyFile, cp, link, mkdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { claudeExecutable } from '@berth/agent'
import { root } from '../house/tracked-files.ts'

/** What the Agent SDK needs at run time: its types and its variants for other surroundings stay behind. */
const sdkFiles = ['package.json', 'sdk.mjs', 'LICENSE.md']

/** Puts the Agent SDK beside the bundles in a directory, and Claude Code below it. Gives the directories of their packages. */
export const addClaudeCode = async (directory: string): Promise<string[]> => {
  const name = '@anthropic-ai/claude-agent-sdk'
  const from = join(root, 'node_modules', name)
  await mkdir(join(directory, 'node_modules', name), { recursive: true })
  for (const file of sdkFiles) await cp(join(from, file), join(directory, 'node_modules', name, file))
  const executable = claudeExecutable()
  await mkdir(join(directory, 'claude'), { recursive: true })
  await linkOrCopy(executable, join(directory, 'claude', basename(executable)))
  return [from, dirname(executable)]
}

/** It is several hundred megabytes. */
const linkOrCopy = (from: string, to: string): Promise<void> => link(from, to).catch(() => copyFile(from, to))
