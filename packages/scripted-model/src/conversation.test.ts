import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readConversation } from './conversation.ts'
import { readMessagesRequest } from './messages-request.ts'

const user = (...content: unknown[]) => ({ role: 'user', content })
const assistant = (...content: unknown[]) => ({ role: 'assistant', content })
const text = (value: string) => ({ type: 'text', text: value })
const call = (id: string, name = 'Bash') => ({ type: 'tool_use', id, name, input: {} })
const result = (id: string, content: unknown, isError = false) => ({
  type: 'tool_result',
  tool_use_id: id,
  content,
  is_error: isError,
})
const reminder = text('<system-reminder>\nNot a prompt.\n</system-reminder>')

function read(messages: unknown[], rest: object = {}) {
  return readConversation(readMessagesRequest({ model: 'claude', max_tokens: 9, messages, ...rest }))
}

describe('the turn', () => {
  test.each([
    ['a plain prompt', [{ role: 'user', content: 'hi' }], 'hi', 1, 0],
    ['reminders around it', [user(reminder, text('hi'), reminder)], 'hi', 1, 0],
    ['a reminder inside it', [user(text('hi\n<system-reminder>x</system-reminder>'))], 'hi', 1, 0],
    ['a system message after it', [user(text('hi')), { role: 'system', content: 'Environment' }], 'hi', 1, 0],
    ['a tool round', [user(text('hi')), assistant(call('a')), user(result('a', 'x'), reminder)], 'hi', 1, 1],
    ['a second prompt', [user(text('one')), assistant(text('ok')), user(text('two'))], 'two', 2, 0],
    [
      'an interruption',
      [
        user(text('one')),
        assistant(call('a')),
        user(result('a', 'no', true), text('[Request interrupted by user for tool use]'), text('two')),
      ],
      'two',
      2,
      0,
    ],
    [
      'a continuation',
      [
        user(text('one')),
        assistant(call('a')),
        user(result('a', 'x')),
        assistant(text('…')),
        user(text('Continue where you left off.')),
      ],
      'one',
      1,
      2,
    ],
    ['a continuation with nothing before it', [user(text('continue'))], 'continue', 1, 0],
    [
      'the words of a skill',
      [user(text('one')), assistant(call('a', 'Skill')), user(result('a', 'ok'), text('# The skill'))],
      'one',
      1,
      1,
    ],
    [
      'an answer in two messages',
      [user(text('one')), assistant(text('a')), assistant(text('b'))],
      'one',
      1,
      1,
    ],
  ])('of %s', (_, messages, prompt, turn, answered) => {
    expect(read(messages)).toMatchObject({ prompt, turn, answered })
  })

  test('counts the answers since the prompt, however long the conversation', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(4), { minLength: 1, maxLength: 8 }), (turns) => {
        const messages = turns.flatMap((rounds, turn) => [
          user(text(`prompt ${turn}`)),
          ...Array.from({ length: rounds }, (_, n) => [
            assistant(call(`${turn}-${n}`)),
            user(result(`${turn}-${n}`, 'x')),
          ]).flat(),
        ])
        expect(read(messages)).toMatchObject({
          prompt: `prompt ${turns.length - 1}`,
          turn: turns.length,
          answered: turns.at(-1),
        })
      }),
    )
  })
})

test('keeps results in the order of the calls, without reminders', () => {
  const messages = [
    user(text('go')),
    assistant(call('a'), call('b')),
    user(result('b', [text('second'), reminder], true)),
    user(result('a', 'first\n\n<system-reminder>12 tokens left</system-reminder>')),
  ]
  expect(
    read([messages[0], messages[1], user(...(messages[2]?.content ?? []), ...(messages[3]?.content ?? []))])
      .results,
  ).toMatchObject([
    { text: 'first', isError: false },
    { text: 'second', isError: true },
  ])
})

test.each([
  [
    'a system prompt',
    { system: [text('You are …\nWorking directory: /a/b c\nPlatform: linux')] },
    [user(text('hi'))],
    '/a/b c',
  ],
  [
    'a system message',
    {},
    [user(text('hi')), { role: 'system', content: ' - Primary working directory: /w\n' }],
    '/w',
  ],
  [
    'a reminder',
    {},
    [user(text('<system-reminder>Working directory: /r\n</system-reminder>'), text('hi'))],
    '/r',
  ],
  ['nothing', {}, [user(text('working directory: /evil'))], ''],
])('finds the working directory in %s', (_, rest, messages, cwd) => {
  expect(read(messages, rest).cwd).toBe(cwd)
})

test('one session has one key', () => {
  const id = (session: string) => ({
    metadata: { user_id: JSON.stringify({ device_id: 'd', session_id: session }) },
  })
  const messages = [user(text('hi'))]
  expect(read(messages, id('s1')).key).toBe('s1')
  expect(read(messages, { metadata: { user_id: 'someone' } }).key).toBe('someone')
  expect(read(messages).key).toBe(read([...messages, assistant(text('a')), user(text('b'))]).key)
  expect(read(messages).key).not.toBe(read([user(text('other'))]).key)
})
