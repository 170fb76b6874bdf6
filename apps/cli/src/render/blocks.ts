import type { EventOf } from '@berth/contract'
import { safeLine, safeText } from '../terminal/safe-text.ts'
import type { Style } from '../terminal/style.ts'
import { fit, textWidth } from '../terminal/width.ts'
import { bytes } from './amounts.ts'
import type { LiveText } from './live-text.ts'
import { createSubagents } from './subagents.ts'
import { resultSummary, toolSummary } from './tool-line.ts'
import { createWrap } from './wrap.ts'

interface Block {
  kind: 'text' | 'thinking' | 'tool_use'
  tool: string
  toolUse: string
  /** The tool use in whose subagent it is. */
  parent: string | undefined
  text: string
  /** How much of the text is on the screen. */
  shown: number
}

export interface BlockView {
  started(event: EventOf<'block.started'>): void
  delta(event: EventOf<'block.delta'>): void
  completed(event: EventOf<'block.completed'>): void
  aborted(event: EventOf<'block.aborted'>): void
  result(event: EventOf<'tool.result'>): void
  /** A line that waits while a text is being written. */
  line(text: string): void
  /** Ends a text that is being written, and writes what waits. */
  settle(): void
}

/**
 * Writes the agent's blocks: text as it comes, one at a time; thinking dimmed; a tool use and its result one line
 * each. What comes while a text is open waits for its end, so that lines never cut into each other.
 */
export const createBlockView = (
  out: LiveText,
  options: { style: Style; columns: () => number; wrapAt: () => number },
): BlockView => {
  const { style, columns } = options
  const wrap = createWrap(options.wrapAt)
  const results = createResultNames()
  const subagents = createSubagents(style)
  const blocks = new Map<string, Block>()
  let active: string | undefined
  let waiting: (() => void)[] = []

  const settle = () => {
    out.raw(wrap.end())
    active = undefined
    const now = waiting
    waiting = []
    for (const write of now) write()
  }
  const whenFree = (write: () => void) => {
    if (active === undefined) write()
    else waiting.push(write)
  }
  const oneLine = (head: Head, rest: string) => out.line(headedLine(head, rest, columns()))
  const show = (block: Block, upTo: number) => {
    if (upTo <= block.shown) return
    // The sign tells thinking from speaking where there are no colours.
    const sign = block.shown === 0 && block.kind === 'thinking' ? '✻ ' : ''
    if (block.shown === 0) out.gap()
    prose(block, wrap.push(sign + safeText(block.text.slice(block.shown, upTo))))
    block.shown = upTo
  }
  const prose = (block: Block, text: string) =>
    out.raw(block.kind === 'thinking' ? text.replace(/[^\n]+/g, style.dim) : text)
  const writeWhole = (block: Block, full: { size: number } | undefined) => {
    if (block.kind === 'tool_use') {
      const summary = toolSummary(block.text)
      results.used(block, summary)
      subagents.called(block.toolUse, block.text)
      const lead = subagents.lead(block.parent)
      return oneLine({ lead, text: `● ${safeLine(block.tool)}`, paint: style.bold }, summary)
    }
    if (block.parent !== undefined)
      return oneLine({ lead: subagents.lead(block.parent), text: '│', paint: style.dim }, block.text)
    show(block, block.text.length)
    prose(block, wrap.end())
    if (full !== undefined && block.shown < full.size) out.raw(style.dim(`… (${bytes(full.size)} in all)`))
    out.fresh()
  }

  return {
    started: ({ data }) => {
      const tool = data.kind === 'tool_use' ? data.tool : ''
      const toolUse = data.kind === 'tool_use' ? data.toolUse : ''
      const { kind, parent } = data
      if (kind === 'tool_use') subagents.began(toolUse, parent)
      blocks.set(data.block, { kind, tool, toolUse, parent, text: '', shown: 0 })
    },
    delta: ({ data }) => {
      const block = blocks.get(data.block)
      if (block === undefined || data.offset > block.text.length) return
      block.text = block.text.slice(0, data.offset) + data.text
      if (block.kind === 'tool_use' || block.parent !== undefined) return
      active ??= data.block
      if (active === data.block) show(block, showable(block.text))
    },
    completed: ({ data }) => {
      const block = blocks.get(data.block)
      blocks.delete(data.block)
      if (block === undefined) return
      if (data.text.length >= block.shown || data.full === undefined) block.text = data.text
      if (active !== data.block) return whenFree(() => writeWhole(block, data.full))
      writeWhole(block, data.full)
      settle()
    },
    aborted: ({ data }) => {
      const block = blocks.get(data.block)
      blocks.delete(data.block)
      if (active !== data.block || block === undefined) return
      prose(block, wrap.end())
      out.raw(style.dim(' … (cut off)'))
      out.fresh()
      settle()
    },
    result: ({ data }) =>
      whenFree(() => {
        const paint = data.isError ? style.red : style.dim
        subagents.ended(data.toolUse)
        const head = { lead: subagents.lead(data.parent), text: data.isError ? '  └ ✗' : '  └', paint }
        oneLine(head, results.nameOf(data.toolUse) + resultSummary(data.text, data.full))
      }),
    line: (text) => whenFree(() => out.line(text)),
    settle,
  }
}

/** Says whose result it is, where it does not stand right below its tool. */
const createResultNames = () => {
  const names = new Map<string, string>()
  let above = ''
  return {
    used: ({ tool, toolUse }: Pick<Block, 'tool' | 'toolUse'>, summary: string) => {
      names.set(toolUse, fit(`${tool} ${summary.split('/').at(-1) ?? ''}`.trim(), 40))
      above = toolUse
    },
    nameOf: (toolUse: string): string => {
      const name = toolUse === above ? undefined : names.get(toolUse)
      names.delete(toolUse)
      above = ''
      return name === undefined ? '' : `${name}: `
    },
  }
}

interface Head {
  /** What stands before it, styled already. */
  lead: string
  text: string
  paint: (text: string) => string
}

/** A line with a styled head, and as much of the rest as there is room for. */
const headedLine = (head: Head, rest: string, columns: number): string => {
  const room = columns - textWidth(head.lead) - textWidth(head.text) - 1
  return `${head.lead}${head.paint(head.text)} ${fit(safeLine(rest), room)}`.trimEnd()
}

/** Without half a character or half a line end, whose other half is still to come. */
const showable = (text: string): number => (/[\ud800-\udbff\r]$/.test(text) ? text.length - 1 : text.length)
