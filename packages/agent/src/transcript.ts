import { createReadStream } from 'node:fs'
import { glob } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { AgentError } from './agent-error.ts'

const conversationForm = /^[A-Za-z0-9-]{1,100}$/

const lineHas = (line: string, uuid: string): boolean => {
  if (!line.includes(uuid)) return false
  try {
    const entry: unknown = JSON.parse(line)
    return typeof entry === 'object' && entry !== null && 'uuid' in entry && entry.uuid === uuid
  } catch {
    // The last line of a transcript may be cut by a crash: Claude Code ignores it too.
    return false
  }
}

const fileHas = async (file: string, uuid: string): Promise<boolean> => {
  const input = createReadStream(file, 'utf8')
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY }))
      if (lineHas(line, uuid)) return true
    return false
  } finally {
    input.destroy()
  }
}

/**
 * Whether Claude Code has recorded the message with this uuid in a conversation, so that sending it again would be
 * dropped. Looks into every project directory of the agent's home; false when there is no transcript. The home was
 * written by the agent: call this where that can do no harm.
 * @throws {AgentError} `conversation-not-found` when `conversation` has not the form of an id.
 */
export const transcriptHas = async (home: string, conversation: string, uuid: string): Promise<boolean> => {
  if (!conversationForm.test(conversation))
    throw new AgentError(
      'conversation-not-found',
      `${JSON.stringify(conversation)} is no id of a conversation.`,
    )
  const files = glob(`*/${conversation}.jsonl`, { cwd: join(home, '.claude', 'projects') })
  for await (const file of files)
    if (await fileHas(join(home, '.claude', 'projects', file), uuid)) return true
  return false
}
