import { limits } from '@berth/contract'
import type { BlockWriter } from '../block-writer.ts'
import { clip } from '../bounds.ts'
import type { Emit } from '../fact.ts'
import { listOf } from '../fields.ts'
import type { TodoList } from '../todo-list.ts'
import type { TurnTracker } from '../turn-tracker.ts'
import type { Streams } from './streams.ts'

/** What the handlers of Claude Code's messages work with. */
export interface MessageContext {
  /** Where the agent works. */
  cwd: string
  emit: Emit
  blocks: BlockWriter
  streams: Streams
  turns: TurnTracker
  todos: TodoList
  /** Says in words what the agent does; the same words again are left out. */
  status(words: string): void
  /** Claude Code told its conversation, model and tools. */
  initialized(facts: { conversation?: string; model?: string; version?: string; tools: string[] }): void
  /** Tool uses on which this package has ruled or a person has decided. */
  ruled: Set<string>
  /** Reports a refusal by rule. */
  refused(tool: string, rule: string): void
}

/** Parts of one message that are read: a response of the model has a few. */
const maxParts = 500

/** The parts of a message's content. Facts are longer than what they are made of, so there is an end to them. */
export const partsOf = (content: unknown, context: MessageContext): unknown[] => {
  const parts = listOf(content)
  if (parts.length <= maxParts) return parts
  notice(
    context,
    'warning',
    `A message had ${parts.length} parts; those after the first ${maxParts} were left out.`,
  )
  return parts.slice(0, maxParts)
}

/** Tells people something. */
export const notice = (
  context: Pick<MessageContext, 'emit'>,
  level: 'info' | 'warning' | 'error',
  message: string,
) => context.emit({ type: 'runner.notice', data: { level, message: clip(message, limits.message) } })
