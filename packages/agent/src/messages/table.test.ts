import { readdirSync, readFileSync } from 'node:fs'
import { fact, limits, turnMessageUuid } from '@berth/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { newId } from '../agent.fixture.ts'
import type { AgentOptions } from '../agent.ts'
import { createAgentParts } from '../agent-parts.ts'
import type { AgentFact } from '../fact.ts'
import type { Fields } from '../fields.ts'
import { createReadiness } from '../readiness.ts'
import type { TurnResult } from '../turn-result.ts'
import { handleMessage, messageTable } from './table.ts'

const fixtures = new URL('../fixtures/', import.meta.url)
const recorded = (name: string): Fields[] =>
  readFileSync(new URL(`${name}.jsonl`, fixtures), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

/** Everything but Claude Code itself. */
const setup = () => {
  const facts: AgentFact[] = []
  const results: TurnResult[] = []
  const options: AgentOptions = {
    workspace: '/workspace',
    env: {},
    permissions: { allow: [], ask: [], deny: [], otherwise: 'allow' },
    emit: (one) => facts.push(one),
    onTurnResult: () => {},
    ids: { block: () => newId('block'), request: () => newId('request') },
    clock: { now: () => 0, after: () => () => {} },
  }
  const parts = createAgentParts(options, {
    interrupt: () => {},
    turnEnded: (result) => results.push(result),
  })
  const readiness = createReadiness(options.emit, { conversation: 'c' })
  const context = { ...parts.context, initialized: readiness.update }
  return { facts, results, parts, give: (message: Fields) => handleMessage(message, context) }
}

/** Plays a recording in which each queued message is a turn. */
const play = (name: string) => {
  const all = setup()
  for (const message of recorded(name)) {
    if (message.type === 'command_lifecycle' && message.state === 'queued')
      all.parts.turns.begin({ turn: newId('turn'), attempt: 1, uuid: String(message.command_uuid) })
    all.give(message)
  }
  return all
}

/** What a reader sees: ended blocks and other facts in short. */
const summary = (facts: AgentFact[]): string[] => {
  const started = new Map(
    facts.flatMap((one) => (one.type === 'block.started' ? [[one.data.block, one.data]] : [])),
  )
  return facts.flatMap((one) => {
    if (one.type === 'block.completed' || one.type === 'block.aborted') {
      const block = started.get(one.data.block)
      const text = one.type === 'block.completed' ? one.data.text : '(aborted)'
      return [`${block?.parent === undefined ? '' : '  '}${block?.kind}: ${text.slice(0, 60).trim()}`]
    }
    if (one.type === 'tool.result')
      return [`result${one.data.isError ? ' (error)' : ''}: ${one.data.text.slice(0, 40)}`]
    if (one.type === 'agent.task') return [`task ${one.data.state}`]
    return ['agent.retrying', 'agent.compacted', 'runner.notice', 'agent.raw', 'permission.ruled'].includes(
      one.type,
    )
      ? [one.type]
      : []
  })
}

const valid = (facts: AgentFact[]) => {
  for (const [index, one] of facts.entries()) {
    const data =
      'text' in one.data ? { ...one.data, text: one.data.text.slice(0, limits.inlineText) } : one.data
    const parsed = fact.safeParse({
      n: index + 1,
      at: '2026-01-01T00:00:00Z',
      type: one.type,
      data: JSON.parse(JSON.stringify(data)),
    })
    expect(parsed.error?.issues, one.type).toBeUndefined()
  }
}

describe('recordings of Claude Code', () => {
  test.each([
    [
      'tools',
      [
        'thinking: Let me see.',
        'text: I look 🙂.',
        'tool_use: {"command":"echo hello","description":"Say it"}',
        'tool_use: {"file_path":"missing.txt"}',
        'result (error): File does not exist. Note: your current ',
        'result: hello',
        'text: Done.',
        'text: Second.',
      ],
      ['success Done.', 'success Second.'],
    ],
    [
      'interrupt',
      ['text: one two three', 'text: Next.'],
      ['interrupted The turn was interrupted.', 'success Next.'],
    ],
    [
      'interrupt-thinking',
      ['thinking: (aborted)', 'text: Next.'],
      ['interrupted The turn was interrupted.', 'success Next.'],
    ],
    [
      'cut',
      ['text: (aborted)', 'agent.retrying', 'text: one two three four five six'],
      ['success one two three four five six'],
    ],
    [
      'stream-error',
      ['text: (aborted)', 'text: one two three four five six'],
      ['success one two three four five six'],
    ],
    ['model-error', [], ['error API Error: 400 bad request. The model refused the']],
  ])('%s', (name, expected, ends) => {
    const { facts, results } = play(name)
    expect(summary(facts)).toEqual(expected)
    expect(results.map(({ result, message }) => `${result} ${message}`.slice(0, 54))).toEqual(
      ends.map((text) => text.slice(0, 54)),
    )
    valid(facts)
  })

  test('an interrupt that we asked for keeps thoughts too', () => {
    const { facts, parts, give } = setup()
    for (const message of recorded('interrupt-thinking')) {
      if (message.state === 'queued')
        parts.turns.begin({ turn: newId('turn'), attempt: 1, uuid: String(message.command_uuid) })
      const running = parts.turns.current()
      if (running !== undefined && message.type === 'user') running.interrupting = true
      give(message)
    }
    expect(summary(facts)[0]).toBe('thinking: one two three')
  })

  test('a subagent', () => {
    const { facts, results } = play('subagent')
    const seen = summary(facts)
    expect(seen).toEqual(
      expect.arrayContaining([
        '  text: Sub says hi.',
        '  text: Sub done.',
        'task started',
        'task completed',
        'text: Started.',
      ]),
    )
    expect(results).toHaveLength(1)
    expect(new Set(facts.flatMap((one) => (one.type === 'block.started' ? [one.data.turn] : []))).size).toBe(
      1,
    )
    valid(facts)
  })

  test('local commands', () => {
    const { facts, results } = play('local-commands')
    expect(results.map(({ result }) => result)).toEqual(['success', 'success', 'success', 'success'])
    expect(summary(facts)).toContain('agent.compacted')
    valid(facts)
  })

  test('every recording is played', () => {
    const names = readdirSync(fixtures).filter((name) => name.endsWith('.jsonl'))
    expect(names).toHaveLength(8)
  })
})

describe('any message', () => {
  const kinds = [...Object.keys(messageTable), 'command_lifecycle', 'never/seen', 'toString', 'constructor/x']
  const value = fc.anything({ maxDepth: 3 })
  const words = fc.constantFrom(
    'text',
    'tool_use',
    'tool_result',
    'message_start',
    'content_block_start',
    'failed',
    'x'.repeat(5000),
  )
  const block = fc.record(
    {
      type: fc.oneof(words, value),
      text: fc.oneof(words, value),
      id: fc.oneof(words, value),
      name: fc.oneof(words, value),
      input: value,
      tool_use_id: fc.oneof(words, value),
      content: value,
    },
    { requiredKeys: [] },
  )
  const fields = fc.record(
    {
      message: fc.oneof(value, fc.record({ id: words, content: fc.array(block, { maxLength: 3 }) })),
      event: fc.oneof(
        value,
        fc.record({ type: words, index: fc.nat(3), content_block: block, delta: block }),
      ),
      parent_tool_use_id: fc.oneof(words, value),
      task_id: fc.oneof(words, value),
      content: fc.oneof(words, value),
      text: fc.oneof(words, value),
      summary: fc.oneof(words, value),
      permission_denials: fc.array(value, { maxLength: 3 }),
      tool_name: fc.oneof(words, value),
      tools: value,
      model: fc.oneof(words, value),
      compact_metadata: value,
      rate_limit_info: fc.oneof(value, fc.record({ status: fc.constant('rejected'), resetsAt: fc.double() })),
      status: fc.oneof(words, value),
      patch: fc.oneof(value, fc.record({ status: words })),
      attempt: value,
      error: fc.oneof(words, value),
    },
    { requiredKeys: [] },
  )

  test('of any shape gives facts that the contract takes, and nothing is thrown', () => {
    fc.assert(
      fc.property(fc.constantFrom(...kinds), fields, (kind, message) => {
        const { facts, parts, give } = setup()
        const turn = newId('turn')
        parts.turns.begin({ turn, attempt: 1, uuid: turnMessageUuid(turn, 1) })
        const [type, subtype] = kind.split('/')
        give({ ...message, type, subtype })
        valid(facts)
      }),
      { numRuns: 500 },
    )
  })

  test('of an unknown kind is kept, bounded', () => {
    const { facts, give } = setup()
    give({ type: 'news', subtype: 'big', body: 'x'.repeat(100_000) })
    expect(facts).toMatchObject([
      { type: 'agent.raw', data: { kind: 'news/big', message: { type: 'news' } } },
    ])
    expect(JSON.stringify(facts).length).toBeLessThan(40_000)
  })
})
