import { describe, expect, it } from 'vitest'
import type { AnyEvent, EventData, EventType } from '../events/event.ts'
import { emptyTranscript, foldTranscript } from './transcript.ts'

const turn = 'trn_01k11111111111111111111111'
const block = 'blk_01k11111111111111111111111'
const prompt = 'prm_01k11111111111111111111111'
const request = 'req_01k11111111111111111111111'

type Entry = { [T in EventType]: [T, EventData<T>] }[EventType]

const entriesOf = (...entries: Entry[]) => {
  const transcript = emptyTranscript()
  const actor = { kind: 'user', id: 'ada' }
  for (const [index, [type, data]] of entries.entries())
    foldTranscript(transcript, {
      seq: index + 1,
      at: '2030-01-01T00:00:00.000Z',
      version: 1,
      actor,
      type,
      data,
    } as AnyEvent)
  return [...transcript.entries.values()]
}

const begun: Entry = ['block.started', { kind: 'text', turn, block }]
const delta = (offset: number, text: string): Entry => ['block.delta', { block, offset, text }]
const completed: Entry = ['block.completed', { block, text: 'whole' }]
const aborted: Entry = ['block.aborted', { block, reason: 'r' }]
const queued: Entry = ['prompt.queued', { prompt, content: [{ type: 'text', text: 'Do it' }] }]

describe('blocks', () => {
  it.each<[string, Entry[], object]>([
    ['grow by deltas', [begun, delta(0, 'a'), delta(1, 'b')], { text: 'ab', state: 'open' }],
    ['take a delta twice', [begun, delta(0, 'ab'), delta(1, 'b')], { text: 'ab' }],
    ['skip a delta after a hole', [begun, delta(0, 'a'), delta(5, 'x')], { text: 'a' }],
    ['are whole when completed', [begun, delta(0, 'wh'), completed], { text: 'whole', state: 'completed' }],
    ['are whole without deltas', [begun, completed], { text: 'whole', state: 'completed' }],
    ['keep what was said when aborted', [begun, delta(0, 'a'), aborted], { text: 'a', state: 'aborted' }],
    ['stay completed', [begun, completed, aborted, delta(0, 'x')], { text: 'whole', state: 'completed' }],
    ['take nothing after the end', [begun, delta(0, 'a'), aborted, delta(1, 'b')], { text: 'a' }],
  ])('%s', (_, entries, expected) => {
    expect(entriesOf(...entries)).toMatchObject([expected])
  })

  it('of tools hold their result', () => {
    const entries = entriesOf(
      ['block.started', { kind: 'tool_use', turn, block, toolUse: 't', tool: 'Bash' }],
      ['block.completed', { block, text: '{}' }],
      ['tool.result', { turn, toolUse: 't', isError: true, text: 'failed' }],
      ['tool.result', { turn, toolUse: 'other', isError: false, text: '?' }],
    )
    expect(entries).toMatchObject([{ kind: 'tool', text: '{}', result: { text: 'failed', isError: true } }])
  })
})

it('keeps the order in which things began', () => {
  const other = 'blk_01k22222222222222222222222'
  const entries = entriesOf(
    queued,
    ['turn.started', { turn, prompt, promptSeq: 1, attempt: 1 }],
    begun,
    ['block.started', { kind: 'thinking', turn, block: other }],
    completed,
    ['turn.ended', { turn, attempt: 1, result: 'success', message: 'm', durationMs: 1 }],
  )
  expect(entries.map(({ kind }) => kind)).toEqual(['prompt', 'text', 'thinking', 'turn-ended'])
  expect(entries[0]).toMatchObject({ state: 'taken' })
})

it.each<[string, Entry, object]>([
  [
    'answered',
    ['permission.decided', { request, decision: { behavior: 'allow', scope: 'once' } }],
    { state: 'answered', answer: { behavior: 'allow' } },
  ],
  ['cancelled', ['request.cancelled', { request, reason: 'r' }], { state: 'cancelled' }],
  ['withdrawn', ['request.withdrawn', { request, reason: 'r' }], { state: 'cancelled' }],
])('shows a request that was %s', (_, event, expected) => {
  const asked: Entry = [
    'permission.requested',
    { request, turn, tool: 'Bash', input: {}, detail: 'ls', because: 'default' },
  ]
  expect(entriesOf(asked)).toMatchObject([{ kind: 'permission', state: 'open' }])
  expect(entriesOf(asked, event)).toMatchObject([expected])
})

it('shows a withdrawn prompt, and faults as notices', () => {
  const entries = entriesOf(
    queued,
    ['prompt.withdrawn', { prompt }],
    ['runner.notice', { level: 'info', message: 'm' }],
    ['session.failed', { reason: 'clone', message: 'm' }],
    ['generation.ended', { generation: 1, reason: 'crashed', message: 'm' }],
    ['generation.ended', { generation: 1, reason: 'exited', message: 'm' }],
  )
  expect(entries).toMatchObject([
    { kind: 'prompt', state: 'withdrawn' },
    { kind: 'notice', level: 'info' },
    { kind: 'notice', level: 'error' },
    { kind: 'notice', level: 'warning' },
  ])
})

it('takes no notice of what it does not know', () => {
  expect(entriesOf(['unknown', {}] as never, ['agent.status', { status: 's' }])).toEqual([])
})

it.each<[string, Entry, object[]]>([
  [
    'a pause',
    ['turn.paused', { turn, reason: 'budget', message: 'Raise it.' }],
    [{ level: 'warning', message: 'The turn is paused (budget). Raise it.' }],
  ],
  [
    'a budget',
    ['budget.reached', { scope: 'day', unit: 'usd', period: '2030-01-31', used: 5, limit: 5, spent: true }],
    [{ level: 'error', message: 'The budget of the project for 2030-01-31 is spent: $5.00 of $5.00.' }],
  ],
  [
    'a push',
    [
      'repository.pushed',
      { name: 'lib', url: 'u', branch: 'b', commit: 'c0ffee00aa', forced: false, checkpoint: 1 },
    ],
    [{ level: 'info', message: 'ada pushed lib to b (c0ffee00).' }],
  ],
  [
    'a push of the agent’s',
    ['git.pushed', { name: 'lib', url: 'u', branch: 'b', commit: 'c0ffee00aa' }],
    [{ level: 'info', message: 'The agent pushed lib to b (c0ffee00).' }],
  ],
  [
    'a push that was refused',
    ['git.refused', { url: 'u', message: 'a session deletes no branch' }],
    [
      {
        level: 'warning',
        message: 'A push of the agent’s to u was refused: a session deletes no branch',
      },
    ],
  ],
  [
    'restored files',
    ['workspace.restored', { checkpoint: 2, files: 1, ms: 1 }],
    [{ level: 'info', message: 'The files are those of checkpoint 2.' }],
  ],
  [
    'a rebuilt conversation',
    ['conversation.rebuilt', { reason: 'It was damaged.', turns: 2 }],
    [{ level: 'warning' }],
  ],
  [
    'a clone that failed',
    ['repository.state', { name: 'lib', state: 'failed', message: 'Gone.' }],
    [{ level: 'warning', message: 'The repository lib could not be cloned. Gone.' }],
  ],
  ['no clone that works', ['repository.state', { name: 'lib', state: 'ready' }], []],
  [
    'MCP servers that fail',
    ['agent.mcp', { servers: [{ name: 'db', status: 'failed', tools: [] }] }],
    [{ message: 'MCP servers that don’t work: db.' }],
  ],
  ['no MCP servers that work', ['agent.mcp', { servers: [] }], []],
])('tells %s', (_, event, expected) => {
  const entries = entriesOf(event)
  expect(entries).toHaveLength(expected.length)
  expect(entries).toMatchObject(expected)
})
