import type { Reply, ReplyBlock } from './reply.ts'
import type { Pace } from './scenario-schema.ts'

/** One server-sent event; `delta` marks those that pace and faults count. */
export interface ReplyEvent {
  delta: boolean
  wire: string
}

/** An event as it goes over the wire. */
export function wireEvent(data: { type: string }): string {
  return `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`
}

/** Cuts text into deltas: by words (each with the space after it) or by so many characters. */
export function cutPieces(text: string, piece: Pace['piece']): string[] {
  if (piece === 'word') return text.match(/\S+\s*|\s+/g) ?? []
  const characters = Array.from(text)
  const pieces: string[] = []
  for (let at = 0; at < characters.length; at += piece) pieces.push(characters.slice(at, at + piece).join(''))
  return pieces
}

function emptyBlock(block: ReplyBlock): object {
  if (block.type === 'thinking') return { type: 'thinking', thinking: '', signature: '' }
  if (block.type === 'text') return { type: 'text', text: '' }
  return { type: 'tool_use', id: block.id, name: block.name, input: {} }
}

function deltasOf(block: ReplyBlock, piece: Pace['piece']): object[] {
  if (block.type === 'thinking') {
    const thoughts = cutPieces(block.thinking, piece).map((thinking) => ({
      type: 'thinking_delta',
      thinking,
    }))
    return [...thoughts, { type: 'signature_delta', signature: block.signature }]
  }
  if (block.type === 'text') return cutPieces(block.text, piece).map((text) => ({ type: 'text_delta', text }))
  const parts = cutPieces(JSON.stringify(block.input), piece === 'word' ? 12 : piece)
  return ['', ...parts].map((json) => ({ type: 'input_json_delta', partial_json: json }))
}

/** The event stream of a reply, in the order of the real API. */
export function* replyEvents(reply: Reply, piece: Pace['piece']): Generator<ReplyEvent> {
  const event = (data: { type: string }, delta = false): ReplyEvent => ({ delta, wire: wireEvent(data) })
  const { content, stop_reason, stop_sequence, usage } = reply
  const message = { ...reply, content: [], stop_reason: null, usage: { ...usage, output_tokens: 1 } }
  yield event({ type: 'message_start', message } as { type: string })
  for (const [index, block] of content.entries()) {
    yield event({ type: 'content_block_start', index, content_block: emptyBlock(block) } as { type: string })
    if (index === 0) yield event({ type: 'ping' })
    for (const delta of deltasOf(block, piece)) {
      yield event({ type: 'content_block_delta', index, delta } as { type: string }, true)
    }
    yield event({ type: 'content_block_stop', index } as { type: string })
  }
  const { cache_creation: _, service_tier: __, ...counts } = usage
  yield event({ type: 'message_delta', delta: { stop_reason, stop_sequence }, usage: counts } as {
    type: string
  })
  yield event({ type: 'message_stop' })
}
