import { preview } from '@berth/contract'
import { clip, maxTextLength } from './bounds.ts'
import type { Clock } from './clock.ts'
import type { Emit } from './fact.ts'

/** Deltas are gathered for at most so long, or until there is so much. */
const deltaMs = 50
const deltaLength = 2048
/** Blocks that may be open at once; the oldest is given up for one more. */
const maxOpen = 256
/** Characters that all open blocks hold together. */
const maxHeld = 32 * 1024 * 1024

/** Where a block stands and what it is. */
export interface BlockOptions {
  kind: 'text' | 'thinking' | 'tool_use'
  turn: string
  /** The tool use in whose subagent it stands. */
  parent: string | undefined
  /** Of a tool use. */
  toolUse?: string
  tool?: string
}

/** A block that has begun and not ended. */
export interface OpenBlock extends BlockOptions {
  id: string
  /** What it holds so far. */
  text: string
  /** How much of it has been reported. */
  sent: number
  full: boolean
}

export interface BlockWriter {
  start(options: BlockOptions): OpenBlock
  append(block: OpenBlock, text: string): void
  /** Ends a block with its whole text; by default what was appended. */
  complete(block: OpenBlock, text?: string): void
  abort(block: OpenBlock, reason: string): void
  /** Ends every open block: what was said is kept, tool uses are aborted. */
  settleAll(reason: string): void
  abortAll(reason: string): void
  /** Characters that the open blocks hold. */
  held(): number
}

const startedData = (block: OpenBlock) => {
  const place = { turn: block.turn, block: block.id, parent: block.parent }
  if (block.kind !== 'tool_use') return { ...place, kind: block.kind }
  return {
    ...place,
    kind: block.kind,
    toolUse: clip(block.toolUse ?? '', 200),
    tool: clip(block.tool ?? '', 200),
  }
}

/**
 * Reports blocks: `block.started`, then gathered `block.delta`s (50 ms or 2 KB, never cut inside a surrogate pair), then
 * one end. An ended block is left alone. Text beyond `maxTextLength` is dropped with a notice.
 */
export const createBlockWriter = (deps: { emit: Emit; newId: () => string; clock: Clock }): BlockWriter => {
  const { emit, newId, clock } = deps
  const open = new Set<OpenBlock>()
  let cancelTimer: (() => void) | undefined
  let held = 0

  const flush = (block: OpenBlock) => {
    while (block.sent < block.text.length) {
      const text = block.text.slice(block.sent, block.sent + deltaLength).replace(/[\uD800-\uDBFF]$/, '')
      if (text === '') return
      emit({ type: 'block.delta', data: { block: block.id, offset: block.sent, text } })
      block.sent += text.length
    }
  }

  const flushAll = () => {
    cancelTimer = undefined
    for (const block of open) flush(block)
  }

  const limited = (block: OpenBlock, text: string, most = maxTextLength): string => {
    if (text.length <= most) return text
    if (!block.full)
      emit({
        type: 'runner.notice',
        data: {
          level: 'warning',
          message: 'The agent wrote more than 8 MB in one piece, or 32 MB at once; the rest was left out.',
        },
      })
    block.full = true
    return preview(text, most)
  }

  const end = (block: OpenBlock): boolean => {
    const wasOpen = open.delete(block)
    if (wasOpen) held -= block.text.length
    if (open.size === 0) {
      cancelTimer?.()
      cancelTimer = undefined
    }
    return wasOpen
  }

  const writer: BlockWriter = {
    start(options) {
      const [oldest] = open
      if (oldest !== undefined && open.size >= maxOpen)
        writer.abort(oldest, 'Too many pieces were open at once.')
      const block: OpenBlock = { ...options, id: newId(), text: '', sent: 0, full: false }
      open.add(block)
      emit({ type: 'block.started', data: startedData(block) })
      return block
    },
    append(block, text) {
      if (text === '' || block.full || !open.has(block)) return
      const before = block.text.length
      const room = before + Math.max(0, maxHeld - held)
      block.text = limited(block, block.text + text, Math.min(maxTextLength, room))
      held += block.text.length - before
      if (block.text.length - block.sent >= deltaLength) flush(block)
      else cancelTimer ??= clock.after(deltaMs, flushAll)
    },
    complete(block, text = block.text) {
      if (!end(block)) return
      emit({ type: 'block.completed', data: { block: block.id, text: limited(block, text) } })
    },
    abort(block, reason) {
      if (!open.has(block)) return
      flush(block)
      end(block)
      emit({ type: 'block.aborted', data: { block: block.id, reason: clip(reason, 4000) } })
    },
    settleAll(reason) {
      for (const block of [...open]) {
        if (block.kind === 'tool_use' || block.text === '') writer.abort(block, reason)
        else writer.complete(block)
      }
    },
    abortAll(reason) {
      for (const block of [...open]) writer.abort(block, reason)
    },
    held: () => held,
  }
  return writer
}
