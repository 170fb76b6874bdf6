import { type AnyEvent, preview } from '@berth/contract'

/** How much of the log an agent is told, in characters, and of one text in it. */
const most = { all: 24_000, prompt: 3000, said: 2000, input: 300 }

/** What a session's log tells of its conversation: the newest, as far as it fits. */
export interface LogSummary {
  /** Undefined: no turn has ended yet. */
  text: string | undefined
  /** Turns that it tells of. */
  turns: number
}

interface Told {
  prompt: string
  lines: string[]
}

/** Reads a log to its end and keeps what was asked, answered and done, in short. Memory is bounded however long the log is. */
export const summariseLog = async (events: AsyncIterable<AnyEvent>): Promise<LogSummary> => {
  const prompts = new Map<string, string>()
  const kinds = new Map<string, string>()
  const turns: Told[] = []
  let current: Told | undefined
  for await (const event of events) {
    if (event.type === 'prompt.queued') {
      const texts = event.data.content.map((block) =>
        block.type === 'text' ? block.text : `[${block.type}]`,
      )
      prompts.set(event.data.prompt, preview(texts.join('\n'), most.prompt))
    } else if (event.type === 'prompt.withdrawn') prompts.delete(event.data.prompt)
    else if (event.type === 'turn.started') {
      current = { prompt: prompts.get(event.data.prompt) ?? current?.prompt ?? '', lines: [] }
      prompts.delete(event.data.prompt)
    } else if (event.type === 'block.started') {
      const { block, kind } = event.data
      kinds.set(block, event.data.kind === 'tool_use' ? event.data.tool : kind)
    } else if (event.type === 'block.completed' || event.type === 'block.aborted') {
      const kind = kinds.get(event.data.block)
      kinds.delete(event.data.block)
      if (event.type === 'block.completed' && kind !== undefined && kind !== 'thinking')
        current?.lines.push(kind === 'text' ? said(event.data.text) : used(kind, event.data.text))
    } else if (event.type === 'turn.ended' && current !== undefined) {
      if (event.data.result !== 'success') current.lines.push(`(The turn ended: ${event.data.result}.)`)
      turns.push(current)
      current = undefined
      while (turns.length > 1 && lengthOf(turns) > most.all * 2) turns.shift()
    }
  }
  const kept = newest(turns)
  return { text: kept.length === 0 ? undefined : kept.map(tell).join('\n\n'), turns: kept.length }
}

const said = (text: string) => `You: ${preview(text, most.said)}`
const used = (tool: string, input: string) =>
  `You used ${tool}: ${preview(input.replace(/\s+/g, ' '), most.input)}`

const tell = ({ prompt, lines }: Told): string => [`User: ${prompt}`, ...lines].join('\n')

const lengthOf = (turns: readonly Told[]): number => turns.reduce((sum, turn) => sum + tell(turn).length, 0)

/** Whole turns from the end as far as they fit; of the last one, its end. */
const newest = (turns: readonly Told[]): Told[] => {
  const kept: Told[] = []
  let left = most.all
  for (const turn of turns.toReversed()) {
    const { length } = tell(turn)
    if (length > left && kept.length > 0) break
    const lines = length > left ? fitting(turn.lines, left - turn.prompt.length) : turn.lines
    kept.unshift({ ...turn, lines })
    left -= length
  }
  return kept
}

const fitting = (lines: readonly string[], room: number): string[] => {
  const kept: string[] = []
  let left = room
  for (const line of lines.toReversed()) {
    left -= line.length
    if (left < 0) break
    kept.unshift(line)
  }
  return ['(…)', ...kept]
}
