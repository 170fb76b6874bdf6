import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { apiErrorBody } from './api-error.ts'
import { auxiliaryAnswer, sampleOf } from './auxiliary.ts'
import { readConversation } from './conversation.ts'
import { createCounters } from './counters.ts'
import { idsFor } from './ids.ts'
import { readMessagesRequest } from './messages-request.ts'
import { strikeOf } from './strike.ts'
import { estimateUsage } from './usage.ts'

describe('ids', () => {
  test('look like those of the API and follow from request and number', () => {
    const make = (body: string, serial: number) => idsFor(Buffer.from(body), serial)('toolu', 1)
    expect(make('a', 1)).toMatch(/^toolu_01[0-9A-Za-z]{22}$/)
    expect(make('a', 1)).toBe(make('a', 1))
    expect(new Set([make('a', 1), make('a', 2), make('b', 1)]).size).toBe(3)
  })
})

describe('counters', () => {
  test('count by key and forget the longest unused', () => {
    const counters = createCounters(2)
    expect([counters.next('a'), counters.next('b'), counters.next('a'), counters.next('c')]).toEqual([
      1, 1, 2, 1,
    ])
    expect([counters.next('a'), counters.next('b')]).toEqual([3, 1])
    counters.clear()
    expect(counters.next('a')).toBe(1)
  })
})

describe('usage', () => {
  test('adds up to the input, whatever its parts', () => {
    fc.assert(
      fc.property(fc.nat(1e7), fc.nat(1e7), fc.boolean(), fc.boolean(), (total, last, cached, first) => {
        const usage = estimateUsage({ total, last, cached, first }, 7)
        const sum = usage.input_tokens + usage.cache_creation_input_tokens + usage.cache_read_input_tokens
        expect(sum).toBe(Math.max(1, Math.ceil(total / 4)))
        expect(
          Math.min(usage.input_tokens, usage.cache_creation_input_tokens, usage.cache_read_input_tokens),
        ).toBeGreaterThanOrEqual(0)
      }),
    )
  })
})

describe('strikes', () => {
  const lookup = (name: string) => ({ n: '2', status: '529' })[name]
  const fault = { kind: 'status', status: '{{status}}', times: '{{n}}' } as const
  test.each([
    [1, true],
    [2, true],
    [3, false],
  ])('attempt %i of a fault that comes twice', (attempt, strikes) => {
    expect(strikeOf(fault, attempt, lookup)?.kind === 'status').toBe(strikes)
  })

  test('a status that is none becomes 500', () => {
    expect(strikeOf({ kind: 'status', status: 200 }, 1, lookup)).toMatchObject({ status: 500 })
  })

  test('a stall without a place comes before the answer', () => {
    expect(strikeOf({ kind: 'stall' }, 99, lookup)).toEqual({ kind: 'stall', after: undefined })
    expect(strikeOf({ kind: 'stall', after: 2 }, 1, lookup)).toEqual({ kind: 'stall', after: 2 })
  })
})

test.each([
  [400, 'invalid_request_error'],
  [401, 'authentication_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [429, 'rate_limit_error'],
  [500, 'api_error'],
  [503, 'api_error'],
  [529, 'overloaded_error'],
])('the body of status %i', (status, type) => {
  expect(apiErrorBody(status, 'req_1')).toMatchObject({ type: 'error', error: { type }, request_id: 'req_1' })
})

describe('auxiliary requests', () => {
  const own = 'x-anthropic-billing-header: cc_version=2;\n'
  const title = {
    format: { type: 'json_schema', schema: { type: 'object', properties: { title: { type: 'string' } } } },
  }
  test.each([
    ['a probe', { max_tokens: 1 }, 'quota', 'ok'],
    ['a title by schema', { system: own, output_config: title }, 'echo: x', '{"title":"Scripted session"}'],
    ['a title in words', { system: `${own}Write a short title` }, 'echo: x', '{"title": "Scripted session"}'],
    ['a summary', {}, 'Your task is to create a detailed summary of the conversation so far', '<summary>'],
  ])('%s gets its answer', (_, fields, content, start) => {
    expect(answerTo(fields, content)?.startsWith(start)).toBe(true)
  })

  test('what a person asks is no auxiliary request', () => {
    expect(answerTo({ system: own, tools: [{ name: 'Bash' }] }, 'find a title')).toBeUndefined()
    expect(answerTo({ system: 'Write a title' }, 'for my book')).toBeUndefined()
  })

  function answerTo(fields: object, content: string) {
    const body = { model: 'claude', max_tokens: 9, messages: [{ role: 'user', content }], ...fields }
    const request = readMessagesRequest(body)
    return auxiliaryAnswer(request, readConversation(request))
  }
})

test.each([
  [{ type: 'string' }, 'T'],
  [{ enum: ['a', 'b'] }, 'a'],
  [{ const: 4 }, 4],
  [{ type: ['integer', 'null'], minimum: 3 }, 3],
  [{ type: 'array', minItems: 2, items: { type: 'boolean' } }, [false, false]],
  [{ anyOf: [{ type: 'number' }, { type: 'null' }] }, 0],
  [{ properties: { a: { type: 'object' } } }, { a: {} }],
  [undefined, null],
])('the sample of %j', (schema, sample) => {
  expect(sampleOf(schema, 'T')).toEqual(sample)
})
