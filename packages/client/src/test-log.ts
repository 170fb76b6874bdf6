import { type Event, makeId, type NewEvent } from '@berth/contract'

/** A short, valid log with blocks that stream, for tests of readers. */
export const sampleLog = (): Event[] => {
  const id = (kind: Parameters<typeof makeId>[0], n: number) =>
    makeId(kind, 1_700_000_000_000, new Uint8Array(10).fill(n))
  const turn = id('turn', 1)
  const prompt = id('prompt', 2)
  const words = ['Grüße, ', '世界 ', '🙂 and\n', 'data: x\n\nid: 9\n', 'the end']
  const block = id('block', 3)
  const tool = id('block', 4)
  const data: NewEvent[] = [
    { type: 'prompt.queued', data: { prompt, content: [{ type: 'text', text: 'hi' }] } },
    { type: 'turn.started', data: { turn, prompt, promptSeq: 1, attempt: 1 } },
    { type: 'block.started', data: { kind: 'text', turn, block } },
    ...words.map((text, i): NewEvent => {
      const offset = words.slice(0, i).join('').length
      return { type: 'block.delta', data: { block, offset, text } }
    }),
    { type: 'block.completed', data: { block, text: words.join('') } },
    { type: 'block.started', data: { kind: 'tool_use', turn, block: tool, toolUse: 't1', tool: 'Bash' } },
    { type: 'block.delta', data: { block: tool, offset: 0, text: '{"command":' } },
    { type: 'block.completed', data: { block: tool, text: '{"command":"ls"}' } },
    { type: 'tool.result', data: { turn, toolUse: 't1', isError: false, text: 'a\nb' } },
    { type: 'turn.ended', data: { turn, attempt: 1, result: 'success', message: 'ok', durationMs: 5 } },
  ]
  return data.map((item, i) => ({
    seq: i + 1,
    at: '2026-01-01T00:00:00.000Z',
    version: 1,
    actor: { kind: 'backend', id: 'backend' },
    ...item,
  })) as Event[]
}

/** The log as compaction leaves it: without the deltas of ended blocks. */
export const compacted = (log: readonly Event[]): Event[] =>
  log.filter((event) => event.type !== 'block.delta')

export const frame = (event: { seq: number }): string =>
  `id: ${event.seq}\ndata: ${JSON.stringify(event)}\n\n`
