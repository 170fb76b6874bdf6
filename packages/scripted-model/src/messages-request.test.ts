import { describe, expect, test } from 'vitest'
import { InvalidRequest, readMessagesRequest } from './messages-request.ts'

const valid = { model: 'claude', max_tokens: 5, messages: [{ role: 'user', content: 'hi' }] }

describe('readMessagesRequest', () => {
  test.each([
    [undefined, 'JSON object'],
    [[], 'JSON object'],
    [{ ...valid, model: undefined }, 'model'],
    [{ ...valid, max_tokens: undefined }, 'max_tokens: Field required'],
    [{ ...valid, max_tokens: 0 }, 'greater than or equal to 1'],
    [{ ...valid, messages: undefined }, 'messages: Field required'],
    [{ ...valid, messages: [] }, 'at least one'],
    [{ ...valid, messages: [{ role: 'robot', content: '' }] }, 'messages.0.role'],
    [{ ...valid, messages: [{ role: 'user', content: 4 }] }, 'messages.0.content'],
  ])('refuses %j', (body, words) => {
    expect(() => readMessagesRequest(body)).toThrow(InvalidRequest)
    expect(() => readMessagesRequest(body)).toThrow(words)
  })

  const call = { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'Bash', input: {} }] }
  const result = { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'x' }] }

  test('refuses a call without its result', () => {
    expect(() => readMessagesRequest({ ...valid, messages: [call, ...valid.messages] })).toThrow('toolu_1')
    expect(() => readMessagesRequest({ ...valid, messages: [call] })).toThrow('toolu_1')
  })

  test('allows system messages between a call and its result', () => {
    const messages = [...valid.messages, call, { role: 'system', content: 'note' }, result]
    expect(readMessagesRequest({ ...valid, messages }).messages).toHaveLength(4)
  })

  test('reads what scenarios need', () => {
    const request = readMessagesRequest({
      ...valid,
      stream: true,
      system: [
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b' },
      ],
      tools: [{ name: 'Bash' }, { type: 'odd' }],
      thinking: { type: 'adaptive' },
      metadata: { user_id: 'u' },
      output_config: { format: { type: 'json_schema', schema: { type: 'object' } } },
    })
    expect(request).toMatchObject({
      stream: true,
      system: 'a\nb',
      tools: ['Bash'],
      thinking: true,
      userId: 'u',
      outputSchema: { type: 'object' },
    })
  })

  test('counting needs no max_tokens', () => {
    expect(readMessagesRequest({ ...valid, max_tokens: undefined }, { counting: true }).model).toBe('claude')
  })
})
