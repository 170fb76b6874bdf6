import { constants } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { limits } from '@berth/contract'
import { enter, type Held, namesIn, openAt } from '../held-directory.ts'

/** A file that belongs to the conversation, and how much of it was there. */
export interface ConversationFile {
  /** Below the agent's `.claude/projects`. */
  path: string
  size: number
}

/** Claude Code appends to these files; what is above is no transcript any more, and left out. */
const most = { files: 2000, bytes: 512 * 1024 * 1024, depth: 6, names: 4000 }

/** Where Claude Code keeps what it needs to go on with a conversation, in the agent's home. */
const projects = ['.claude', 'projects']

/**
 * The files of the agent's conversation, as long as they are now. No link is followed; what is no plain file, or too
 * much, is left out.
 */
export const listConversation = async (home: string): Promise<ConversationFile[]> => {
  const found: ConversationFile[] = []
  const left = { bytes: most.bytes }
  const top = await enter(home, projects)
  const walk = async (directory: Held, path: string, depth: number): Promise<void> => {
    for await (const name of namesIn(directory, most.names)) {
      if (found.length >= most.files) return
      const below = path === '' ? name : `${path}/${name}`
      if (below.length > limits.path || below.includes('\uFFFD')) continue
      const item = await openAt(directory, name, constants.O_RDONLY)
      if (item === undefined) continue
      try {
        const stat = await item.stat()
        if (stat.isDirectory() && depth < most.depth) await walk(item, below, depth + 1)
        else if (stat.isFile() && stat.size <= left.bytes) {
          left.bytes -= stat.size
          found.push({ path: below, size: stat.size })
        }
      } finally {
        await item.close()
      }
    }
  }
  try {
    if (top !== undefined) await walk(top, '', 1)
  } finally {
    await top?.close()
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** Opens one of these files again; undefined when it is gone. */
export const openConversationFile = async (home: string, path: string): Promise<FileHandle | undefined> => {
  const names = path.split('/')
  const name = names.pop() ?? ''
  const directory = await enter(home, [...projects, ...names])
  try {
    const file = await openAt(directory, name, constants.O_RDONLY)
    if (file === undefined || (await file.stat()).isFile()) return file
    await file.close()
    return undefined
  } finally {
    await directory?.close()
  }
}
