import type { BlockWriter, OpenBlock } from '../block-writer.ts'
import { type Fields, fieldsOf, listOf, optionalText, textOf } from '../fields.ts'
import type { TurnTracker } from '../turn-tracker.ts'
import { createResponses, type Response, tooManyOpen } from './responses.ts'

export interface Streams {
  /** A `stream_event`'s event. */
  event(event: Fields, parent: string | undefined): void
  /** An assistant message: one or more whole blocks, streamed before or not. */
  message(message: Fields, parent: string | undefined): void
  /** A request is tried again: responses that ended without being confirmed came to nothing. */
  retry(reason: string): void
  /** The turn is over: what is still open came to nothing. */
  settle(reason: string): void
  /** Responses that are remembered. */
  held(): number
}

type Blockish = { kind: 'text' | 'thinking' | 'tool_use'; text: string; toolUse?: string; tool?: string }

/** What a content block of the API is to us; undefined for those which hold nothing to show. */
const blockOf = (content: Fields): Blockish | undefined => {
  if (content.type === 'text') return { kind: 'text', text: textOf(content.text) }
  if (content.type === 'thinking') return { kind: 'thinking', text: textOf(content.thinking) }
  if (content.type !== 'tool_use' && content.type !== 'server_tool_use') return undefined
  const toolUse = textOf(content.id).slice(0, idLength)
  return {
    kind: 'tool_use',
    text: JSON.stringify(content.input ?? {}),
    toolUse,
    tool: textOf(content.name).slice(0, idLength),
  }
}

const deltaText = (delta: Fields): string =>
  optionalText(delta.text) ?? optionalText(delta.thinking) ?? textOf(delta.partial_json)

/** Whether the whole block `content` is the one that streams as `open`. */
const isSame = (open: OpenBlock, content: Blockish): boolean =>
  open.kind === content.kind && (open.kind !== 'tool_use' || open.toolUse === content.toolUse)

/** Tool uses that are remembered, so that none is shown twice. */
const maxRemembered = 10_000
/** Of an id that Claude Code made up; what the contract keeps. */
const idLength = 200

/**
 * Turns what the model streams, and the whole messages that follow, into blocks: each content block becomes exactly one.
 * Claude Code sends the whole block as an assistant message while its response still streams; that message ends it.
 */
export const createStreams = (deps: {
  blocks: BlockWriter
  turns: TurnTracker
  onBlock: (kind: Blockish['kind']) => void
  onTool: (tool: string, input: Fields, toolUse: string) => void
}): Streams => {
  const { blocks, turns, onBlock, onTool } = deps
  const toolUses = new Set<string>()

  const abandon = (response: Response, reason: string) => {
    for (const block of response.open.values()) {
      const keep = turns.current()?.interrupting === true && block.kind !== 'tool_use' && block.text !== ''
      if (keep) blocks.complete(block)
      else blocks.abort(block, reason)
    }
    response.open.clear()
  }

  const responses = createResponses({
    abandon,
    drop: (block) => blocks.abort(block, tooManyOpen),
  })

  const start = (content: Blockish, parent: string | undefined): OpenBlock | undefined => {
    const turn = turns.place()
    if (turn === undefined || (content.toolUse !== undefined && toolUses.has(content.toolUse)))
      return undefined
    const { kind, toolUse, tool } = content
    onBlock(kind)
    return blocks.start({ kind, turn, parent, toolUse, tool })
  }

  const finish = (block: OpenBlock, content: Blockish) => {
    if (content.toolUse !== undefined) {
      toolUses.add(content.toolUse)
      const [oldest] = toolUses
      if (toolUses.size > maxRemembered && oldest !== undefined) toolUses.delete(oldest)
    }
    blocks.complete(block, content.text === '' ? block.text : content.text)
  }

  const whole = (content: Fields, response: Response, parent: string | undefined) => {
    const block = blockOf(content)
    if (block === undefined) return
    const streamed = [...response.open].find(([, open]) => isSame(open, block))
    if (streamed !== undefined) response.open.delete(streamed[0])
    const open = streamed?.[1] ?? (block.text === '' ? undefined : start(block, parent))
    if (open !== undefined) finish(open, block)
    if (block.kind === 'tool_use') onTool(block.tool ?? '', fieldsOf(content.input), block.toolUse ?? '')
  }

  const handlers: Record<string, (event: Fields, response: Response, parent: string | undefined) => void> = {
    message_start(event, response) {
      abandon(response, 'The answer was begun anew.')
      response.id = optionalText(fieldsOf(event.message).id)
      response.stopped = false
    },
    content_block_start(event, response, parent) {
      const content = blockOf(fieldsOf(event.content_block))
      if (content === undefined || typeof event.index !== 'number') return
      const block = start(content, parent)
      if (block === undefined) return
      responses.open(response, event.index, block)
      if (content.kind !== 'tool_use') blocks.append(block, content.text)
    },
    message_stop(_event, response) {
      response.stopped = true
    },
    content_block_delta(event, response) {
      const block = response.open.get(Number(event.index))
      if (block !== undefined) blocks.append(block, deltaText(fieldsOf(event.delta)))
    },
  }

  return {
    event(event, wholeParent) {
      const parent = wholeParent?.slice(0, idLength)
      const type = textOf(event.type)
      if (Object.hasOwn(handlers, type)) handlers[type]?.(event, responses.of(parent), parent)
    },
    message(message, wholeParent) {
      const parent = wholeParent?.slice(0, idLength)
      const response = responses.of(parent)
      const id = optionalText(message.id)
      if (response.id !== id) abandon(response, 'The answer broke off.')
      response.id = id
      for (const content of listOf(message.content)) whole(fieldsOf(content), response, parent)
    },
    retry(reason) {
      for (const response of responses.all()) if (response.stopped) abandon(response, reason)
    },
    settle(reason) {
      for (const response of responses.all()) abandon(response, reason)
      responses.clear()
    },
    held: responses.size,
  }
}
