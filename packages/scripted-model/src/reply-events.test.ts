import fc from 'fast-check'
import { expect, test } from 'vitest'
import { idsFor } from './ids.ts'
import { buildReply } from './reply.ts'
import { cutPieces, replyEvents } from './reply-events.ts'
import type { Answer } from './scenario-schema.ts'

const input = { total: 4_000, last: 400, cached: true, first: false }

function reply(answer: Answer, fields: { maxTokens?: number; thinking?: boolean } = {}) {
  return buildReply(answer, {
    model: 'claude',
    maxTokens: 100_000,
    thinking: true,
    input,
    ids: idsFor(Buffer.from('body'), 1),
    lookup: () => '',
    ...fields,
  })
}

interface Delta {
  type: string
  index: number
  delta: Record<string, string>
}

function eventsOf(answer: Answer, piece: 'word' | number): Delta[] {
  return [...replyEvents(reply(answer), piece)].map(({ wire }) => JSON.parse(wire.split('\ndata: ')[1] ?? ''))
}

const pieceArbitrary = fc.oneof(fc.constant('word' as const), fc.integer({ min: 1, max: 50 }))

test('pieces joined give the text, whatever their size', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), pieceArbitrary, (text, piece) => {
      expect(cutPieces(text, piece).join('')).toBe(text)
    }),
  )
})

test('deltas joined give the content', () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 1 }),
      fc.dictionary(fc.string(), fc.jsonValue()),
      pieceArbitrary,
      (think, value, piece) => {
        const answer: Answer = { think, tools: [{ name: 'Tool', input: JSON.parse(JSON.stringify(value)) }] }
        const events = eventsOf(answer, piece)
        const joined = (index: number, key: string) =>
          events
            .flatMap((event) =>
              event.type === 'content_block_delta' && event.index === index ? [event.delta[key] ?? ''] : [],
            )
            .join('')
        const [thinking, tool] = reply(answer).content
        expect(thinking).toMatchObject({ thinking: joined(0, 'thinking'), signature: joined(0, 'signature') })
        expect(tool).toMatchObject({ input: JSON.parse(joined(1, 'partial_json')) })
      },
    ),
  )
})

test('the events come in the order of the API', () => {
  const types = eventsOf({ text: 'one two', tools: [{ name: 'A', input: {} }] }, 'word').map(
    (event) => event.type,
  )
  expect(types).toEqual([
    'message_start',
    'content_block_start',
    'ping',
    'content_block_delta',
    'content_block_delta',
    'content_block_stop',
    'content_block_start',
    'content_block_delta',
    'content_block_delta',
    'content_block_stop',
    'message_delta',
    'message_stop',
  ])
})

test.each([
  [{ text: 'a' }, {}, 'end_turn'],
  [{ tools: [{ name: 'A', input: {} }] }, {}, 'tool_use'],
  [{ text: 'a', stop_reason: 'refusal' as const }, {}, 'refusal'],
  [{ text: 'abcd '.repeat(100) }, { maxTokens: 10 }, 'max_tokens'],
])('the stop reason of %j', (answer, fields, reason) => {
  expect(reply(answer, fields).stop_reason).toBe(reason)
})

test('an answer keeps to max_tokens', () => {
  const { usage, content } = reply({ text: 'abcd '.repeat(100) }, { maxTokens: 10 })
  expect(usage.output_tokens).toBe(10)
  expect(content).toEqual([{ type: 'text', text: 'abcd '.repeat(8) }])
})

test('thinks only when asked to, and never says nothing', () => {
  expect(reply({ think: 'hm', text: 'a' }, { thinking: false }).content).toEqual([
    { type: 'text', text: 'a' },
  ])
  expect(reply({ think: 'hm' }, { thinking: false }).content).toHaveLength(1)
})

test('parallel calls have ids of their own', () => {
  const ids = reply({
    tools: [
      { name: 'A', input: {} },
      { name: 'A', input: {} },
    ],
  }).content.map((block) => (block.type === 'tool_use' ? block.id : ''))
  expect(new Set(ids).size).toBe(2)
})
