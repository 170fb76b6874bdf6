import { describe, expect, test } from 'vitest'
import { auxiliaryAnswer, sampleOf } from './auxiliary.ts'
import { readConversation } from './conversation.ts'
import { readMessagesRequest } from './messages-request.ts'

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
