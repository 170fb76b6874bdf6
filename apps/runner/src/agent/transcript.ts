import { constants } from 'node:fs'
import { type FileHandle, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'

const conversationId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
/** A transcript of this size is no transcript any more. */
const longest = 512 * 1024 * 1024
const mostProjects = 1000

/** Claude Code's own record of a conversation, in the agent's home. Written by the agent: believed for nothing but itself. */
export interface Transcripts {
  /** Is there a transcript to go on with? */
  exists(conversation: string): Promise<boolean>
  /** Does the transcript name one of these uuids? */
  has(conversation: string, uuids: readonly string[]): Promise<boolean>
}

/** Reads transcripts below a home, given by its path outside the sandbox. No link in the last step is followed. */
export const openTranscripts = (home: string): Transcripts => ({
  async exists(conversation) {
    const file = await findTranscript(home, conversation)
    const size = (await file?.stat())?.size ?? 0
    await file?.close()
    return size > 0
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

const findTranscript = async (home: string, conversation: string): Promise<FileHandle | undefined> => {
  if (!conversationId.test(conversation)) return undefined
  const projects = join(home, '.claude', 'projects')
  const names = await readdir(projects).catch(() => [])
  for (const name of names.slice(0, mostProjects)) {
    const file = await openRegular(join(projects, name, `${conversation}.jsonl`))
    if (file !== undefined) return file
  }
  return undefined
}

/** Without O_NONBLOCK, a pipe that the agent put there would hold the runner for ever. */
const openRegular = async (path: string): Promise<FileHandle | undefined> => {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants
  const file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch(() => undefined)
  if (file === undefined || (await file.stat()).isFile()) return file
  await file.close()
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
