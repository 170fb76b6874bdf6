import type { SDKMessage } from '@anthropic-ai/claude-agent-sdk'

type KindOf<M> = M extends { type: infer T extends string; subtype: infer S extends string }
  ? `${T}/${S}`
  : M extends { type: infer T extends string }
    ? T
    : never

/** Every kind of message that the SDK knows: its type, and its subtype where it has one. */
export type MessageKind = KindOf<SDKMessage>

/** The kind of a message; a string that is no `MessageKind` when Claude Code is newer than the SDK's types. */
export const messageKind = (message: Record<string, unknown>): string => {
  const type = typeof message.type === 'string' ? message.type : 'unknown'
  return typeof message.subtype === 'string' ? `${type}/${message.subtype}` : type
}
