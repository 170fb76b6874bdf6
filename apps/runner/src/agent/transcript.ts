import { constants } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { directoryFlags, enter, namesIn, openAt } from '../held-directory.ts'

const conversationId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
/** A transcript of this size is no transcript any more. */
const longest = 512 * 1024 * 1024

/** Claude Code's own record of a conversation, in the agent's home. Written by the agent: believed for nothing but itself. */
export interface Transcripts {
  /** Is there a transcript to go on with? A last line that was not written to its end is cut off. */
  mend(conversation: string): Promise<boolean>
  /** Does the transcript name one of these uuids? */
  has(conversation: string, uuids: readonly string[]): Promise<boolean>
}

/** Reads transcripts below a home, given by its path outside the sandbox. No link below it is followed. */
export const openTranscripts = (home: string): Transcripts => ({
  async mend(conversation) {
    const file = await findTranscript(home, conversation, constants.O_RDWR)
    if (file === undefined) return false
    try {
      await cutTornLine(file)
      return (await file.stat()).size > 0
    } finally {
      await file.close()
    }
  },
  async has(conversation, uuids) {
    const file = await findTranscript(home, conversation)
    if (file === undefined) return false
    try {
      return await contains(file, uuids)
    } finally {
      await file.close()
    }
  },
})

const findTranscript = async (
  home: string,
  conversation: string,
  flags: number = constants.O_RDONLY,
): Promise<FileHandle | undefined> => {
  if (!conversationId.test(conversation)) return undefined
  const projects = await enter(home, ['.claude', 'projects'])
  try {
    for await (const name of namesIn(projects)) {
      const project = await openAt(projects, name, directoryFlags)
      const file = await openAt(project, `${conversation}.jsonl`, flags)
      await project?.close()
      if (file !== undefined && (await file.stat()).isFile()) return file
      await file?.close()
    }
  } finally {
    await projects?.close()
  }
  return undefined
}

const contains = async (file: FileHandle, uuids: readonly string[]): Promise<boolean> => {
  const overlap = 64
  const buffer = Buffer.alloc(1024 * 1024)
  let kept = 0
  for (let position = 0; position < longest; ) {
    const { bytesRead } = await file.read(buffer, kept, buffer.length - kept, position)
    if (bytesRead === 0) return false
    const filled = buffer.subarray(0, kept + bytesRead)
    if (uuids.some((uuid) => filled.includes(`"${uuid}"`))) return true
    position += bytesRead
    kept = Math.min(overlap, filled.length)
    filled.copy(buffer, 0, filled.length - kept)
  }
  return false
}

/** Lines of a transcript hold whole messages, with images. */
const longestLine = 64 * 1024 * 1024

/** A process or machine that died may leave the beginning of a line, which Claude Code can't read. */
const cutTornLine = async (file: FileHandle): Promise<void> => {
  const { size } = await file.stat()
  const from = Math.max(0, size - longestLine)
  const tail = Buffer.alloc(size - from)
  const { bytesRead } = await file.read(tail, 0, tail.length, from)
  const end = tail.subarray(0, bytesRead)
  const at = end.lastIndexOf(0x0a) + 1
  if (at === end.length || isWhole(end.subarray(at).toString('utf8'))) return
  await file.truncate(at === 0 ? 0 : from + at)
}

const isWhole = (line: string): boolean => {
  try {
    JSON.parse(line)
    return true
  } catch {
    return false
  }
}
