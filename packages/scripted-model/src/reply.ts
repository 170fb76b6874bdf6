import { hash } from 'node:crypto'
import type { IdMaker } from './ids.ts'
import type { Answer } from './scenario-schema.ts'
import { fill, fillDeep, type Lookup } from './template.ts'
import { estimateTokens, estimateUsage, type InputSize, type Usage } from './usage.ts'

/** A content block of an answer, as the API shapes it. */
export type ReplyBlock =
  | { type: 'thinking'; thinking: string; signature: string }
  | { type: 'text'; text: string }
  | { type: 'tool_use'; id: string; name: string; input: unknown }

/** A whole answer: the body of a request without streaming. */
export interface Reply {
  id: string
  type: 'message'
  role: 'assistant'
  model: string
  content: ReplyBlock[]
  stop_reason: string
  stop_sequence: null
  usage: Usage
}

/** What a reply needs to know of its request. */
export interface ReplyContext {
  model: string
  maxTokens: number
  thinking: boolean
  input: InputSize
  ids: IdMaker
  lookup: Lookup
}

function contentOf(answer: Answer, context: ReplyContext): ReplyBlock[] {
  const content: ReplyBlock[] = []
  // The API thinks only when the request asks for it.
  if (answer.think !== undefined && context.thinking) {
    const thinking = fill(answer.think, context.lookup)
    content.push({
      type: 'thinking',
      thinking,
      signature: Buffer.from(hash('sha512', thinking)).toString('base64'),
    })
  }
  const text = answer.text === undefined ? '' : fill(answer.text, context.lookup).trimEnd()
  if (text !== '') content.push({ type: 'text', text })
  for (const [index, tool] of (answer.tools ?? []).entries()) {
    content.push({
      type: 'tool_use',
      id: context.ids('toolu', index),
      name: fill(tool.name, context.lookup),
      input: fillDeep(tool.input, context.lookup),
    })
  }
  // An empty answer is legal in the API but a puzzle for whoever reads the transcript.
  if (content.length === 0) content.push({ type: 'text', text: '(empty)' })
  return content
}

function blockText(block: ReplyBlock): string {
  if (block.type === 'thinking') return block.thinking
  return block.type === 'text' ? block.text : JSON.stringify(block.input)
}

function countTokens(content: readonly ReplyBlock[]): number {
  return content.reduce((sum, block) => sum + estimateTokens(blockText(block).length), 0)
}

/** Cuts the last text so that the answer keeps to `max_tokens`; tells whether it had to. */
function truncate(content: ReplyBlock[], maxTokens: number): boolean {
  const over = countTokens(content) - maxTokens
  const last = content.at(-1)
  if (over <= 0 || last?.type !== 'text') return false
  last.text = last.text.slice(0, Math.max(4, (estimateTokens(last.text.length) - over) * 4))
  return true
}

/** Fills a step's answer in. */
export function buildReply(answer: Answer, context: ReplyContext): Reply {
  const content = contentOf(answer, context)
  const truncated = truncate(content, context.maxTokens)
  const natural = content.some((block) => block.type === 'tool_use') ? 'tool_use' : 'end_turn'
  return {
    id: context.ids('msg'),
    type: 'message',
    role: 'assistant',
    model: context.model,
    content,
    stop_reason: answer.stop_reason ?? (truncated ? 'max_tokens' : natural),
    stop_sequence: null,
    usage: estimateUsage(context.input, countTokens(content)),
  }
}
