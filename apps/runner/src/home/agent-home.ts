import type { ConversationFile } from '../checkpoint/conversation-files.ts'

/**
 * What the runner reads and writes in the agent's home. The agent writes there too, so what is read is believed for nothing
 * but itself, no link below the home is followed, and everything has a limit.
 */
export interface AgentHome {
  /** Is there a transcript to go on with? A last line that was not written to its end is cut off. */
  mend(conversation: string): Promise<boolean>
  /** Does the transcript name one of these uuids? */
  has(conversation: string, uuids: readonly string[]): Promise<boolean>
  /** The files of the agent's conversations, as long as they are now. */
  listConversation(): Promise<ConversationFile[]>
  /** Bytes of one of them; undefined when it is gone or shorter. */
  readConversation(path: string, part: { at: number; length: number }): Promise<Buffer | undefined>
  /** Removes them all. Only while no agent has used the home. */
  clearConversation(): Promise<void>
  /** Writes bytes of one of them; the first part makes it anew. Only while no agent has used the home. */
  writeConversation(path: string, at: number, bytes: Buffer): Promise<void>
  /** What MCP servers have written to their error output since the last call. */
  mcpLines(): Promise<string[]>
}
