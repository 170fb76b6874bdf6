import { turnMessageUuid } from '@berth/contract'
import { describe, expect, test } from 'vitest'
import { newId } from '../agent.fixture.ts'
import type { AgentOptions } from '../agent.ts'
import { createAgentParts } from '../agent-parts.ts'
import type { AgentFact } from '../fact.ts'
import type { Fields } from '../fields.ts'
import { createReadiness } from '../readiness.ts'
import { handleMessage } from './table.ts'

/** Claude Code runs inside the sandbox, so what it says may come from any program there. */
const setup = () => {
  const facts: AgentFact[] = []
  const options: AgentOptions = {
    workspace: '/workspace',
    env: {},
    permissions: { allow: [], ask: [], deny: [], otherwise: 'ask' },
    emit: (one) => facts.push(one),
    onTurnResult: () => {},
    ids: { block: () => newId('block'), request: () => newId('request') },
    clock: { now: () => 0, after: () => () => {} },
  }
  const parts = createAgentParts(options, { interrupt: () => {}, turnEnded: () => {} })
  const readiness = createReadiness(options.emit, { conversation: 'c' })
  const context = { ...parts.context, initialized: readiness.update }
  const turn = newId('turn')
  parts.turns.begin({ turn, attempt: 1, uuid: turnMessageUuid(turn, 1) })
  readiness.handshake({ commands: [], agents: [] } as never)
  return { facts, parts, turn, give: (message: Fields) => handleMessage(message, context) }
}

const size = (facts: readonly AgentFact[]) => facts.reduce((sum, one) => sum + JSON.stringify(one).length, 0)

describe('whatever Claude Code says', () => {
  test('belongs to the turn that runs, whichever one it names', () => {
    const { facts, give, turn } = setup()
    const other = newId('turn')
    const content = [{ type: 'tool_result', tool_use_id: 'a', content: 'b', turn: other }]
    give({ type: 'user', turn: other, message: { turn: other, content } })
    give({ type: 'assistant', turn: other, message: { turn: other, content: [{ type: 'text', text: 'c' }] } })
    expect(JSON.stringify(facts)).not.toContain(other)
    expect(JSON.stringify(facts)).toContain(turn)
  })

  test.each<[string, Fields]>([
    ['blocks', { type: 'assistant', message: { content: Array(100_000).fill({ type: 'text', text: 'a' }) } }],
    [
      'results',
      {
        type: 'user',
        message: { content: Array(100_000).fill({ type: 'tool_result', tool_use_id: 'a', content: 'b' }) },
      },
    ],
  ])('makes no more of one message with many %s than it is long', (_, many) => {
    const { facts, give } = setup()
    give(many)
    expect(size(facts)).toBeLessThan(JSON.stringify(many).length)
    expect(facts.some(({ type }) => type === 'runner.notice')).toBe(true)
  })

  test('is held in bounds while blocks are open', () => {
    const { facts, parts, give } = setup()
    const event = (body: Fields, parent: string | null) =>
      give({ type: 'stream_event', event: body, parent_tool_use_id: parent })
    const long = 'x'.repeat(1024 ** 2)
    for (let index = 0; index < 80; index++) {
      event({ type: 'content_block_start', index, content_block: { type: 'text' } }, `p${index % 3}`)
      event({ type: 'content_block_delta', index, delta: { text: long } }, `p${index % 3}`)
    }
    expect(parts.context.blocks.held()).toBeLessThanOrEqual(32 * 1024 ** 2)
    for (let index = 0; index < 1000; index++) event({ type: 'message_start' }, `parent ${index} ${long}`)
    expect(parts.context.streams.held()).toBeLessThanOrEqual(64)
    expect(facts.some(({ type }) => type === 'runner.notice')).toBe(true)
  })

  test('leaves no block open when another takes its place', () => {
    const { facts, parts, give } = setup()
    for (let index = 0; index < 3; index++)
      give({
        type: 'stream_event',
        event: { type: 'content_block_start', index: 0, content_block: { type: 'text' } },
      })
    give({ type: 'result', subtype: 'success', user_message_uuid: parts.turns.current()?.uuid })
    const count = (type: AgentFact['type']) => facts.filter((one) => one.type === type).length
    expect(count('block.started')).toBe(3)
    expect(count('block.aborted') + count('block.completed')).toBe(3)
  })

  test('is ruled on without being kept', async () => {
    const { parts } = setup()
    const input = { path: 'x'.repeat(1000) }
    const use = { tool: 'TodoWrite', input, id: 'y'.repeat(100_000), signal: new AbortController().signal }
    expect(await parts.gate.rule(use)).toEqual({ behavior: 'allow', input })
    expect([...parts.gate.ruled].every((id) => id.length <= 200)).toBe(true)
  })
})
