import { describe, expect, test } from 'vitest'
import { choose } from './choose.ts'
import type { Conversation } from './conversation.ts'
import { matchCondition } from './match.ts'
import { validateScenario } from './parse-scenario.ts'
import type { ScenarioInput } from './scenario-schema.ts'

function conversation(fields: Partial<Conversation> = {}): Conversation {
  return {
    model: 'claude-opus-5-5',
    system: 'You are an agent',
    prompt: 'Fix the tests',
    turn: 1,
    answered: 0,
    results: [],
    tools: new Set(['Bash', 'Edit']),
    cwd: '/w',
    key: 'k',
    ...fields,
  }
}

describe('conditions', () => {
  const failed = { results: [{ text: 'Exit code 1', isError: true }] }
  test.each([
    ['nothing asked', {}, {}, true],
    ['model', { model: { contains: 'OPUS' } }, {}, true],
    ['another model', { model: { contains: 'haiku' } }, {}, false],
    ['prompt, without regard to case', { prompt: { contains: 'fix THE' } }, {}, true],
    ['both ways of a text', { prompt: { contains: 'fix', matches: '^tests' } }, {}, false],
    ['system', { system: { matches: '^you are' } }, {}, true],
    ['turn', { turn: 1 }, {}, true],
    ['turn range', { turn: { min: 2, max: 3 } }, { turn: 3 }, true],
    ['before the range', { turn: { min: 2 } }, {}, false],
    ['tools', { tools: ['Bash', 'Edit'] }, {}, true],
    ['a tool that is not there', { tools: ['TodoWrite'] }, {}, false],
    ['missing tools', { missing_tools: ['TodoWrite'] }, {}, true],
    ['a tool that should be missing', { missing_tools: ['Bash'] }, {}, false],
    ['no result yet', { result: {} }, {}, false],
    ['an error', { result: { is_error: true, contains: 'code 1' } }, failed, true],
    ['no error', { result: { is_error: false } }, failed, false],
  ])('%s', (_, condition, fields, holds) => {
    expect(matchCondition(condition, conversation(fields)) !== undefined).toBe(holds)
  })

  test('a dot matches line breaks; groups are caught by name and number', () => {
    const caught = matchCondition(
      { prompt: { matches: '^run: (?<command>.+)$' } },
      conversation({ prompt: 'run: a\nb' }),
    )
    expect(caught).toEqual({ command: 'a\nb', '1': 'a\nb' })
  })
})

function scenario(fields: Partial<ScenarioInput>) {
  return validateScenario({ name: 'sample', description: 'd', steps: [{ text: 'x' }], ...fields }, 'test')
}

describe('choose', () => {
  test('takes the first that fits, those without conditions last', () => {
    const all = [
      scenario({ name: 'any' }),
      scenario({ name: 'first', when: { prompt: { contains: 'fix' } } }),
      scenario({ name: 'second', when: { prompt: { contains: 'tests' } } }),
    ]
    expect(choose(all, conversation())?.scenario.name).toBe('first')
    expect(choose(all, conversation({ prompt: 'more tests' }))?.scenario.name).toBe('second')
    expect(choose(all, conversation({ prompt: 'else' }))?.scenario.name).toBe('any')
    expect(choose([], conversation())).toBeUndefined()
  })

  const steps = scenario({
    when: { prompt: { matches: '(?<n>\\d+)' } },
    steps: [
      { when: { tools: ['TodoWrite'] }, text: 'plan' },
      { repeat: '{{n}}', text: 'round' },
      { when: { turn: 2 }, text: 'second turn' },
      { text: 'end' },
    ],
  })
  test.each([
    [0, 1, ['Bash'], 'round'],
    [1, 1, ['Bash'], 'round'],
    [2, 1, ['Bash'], 'end'],
    [2, 2, ['Bash'], 'second turn'],
    [3, 2, ['Bash'], 'end'],
    [0, 1, ['TodoWrite'], 'plan'],
    [1, 1, ['TodoWrite'], 'round'],
    [3, 1, ['Bash'], 'The scenario "sample" has no further step for this turn.'],
  ])('after %i answers in turn %i with %j: %s', (answered, turn, tools, text) => {
    const state = conversation({ prompt: '2 rounds', answered, turn, tools: new Set(tools) })
    expect(choose([steps], state)?.answer.text).toBe(text)
  })

  test('takes the first branch that holds', () => {
    const branches = scenario({
      steps: [
        { first_of: [{ when: { result: { matches: 'fail (\\d)' } }, text: 'failed' }, { text: 'other' }] },
      ],
    })
    const results = [{ text: 'fail 3', isError: false }]
    expect(choose([branches], conversation({ results }))).toMatchObject({
      answer: { text: 'failed' },
      captures: { 1: '3' },
    })
    expect(choose([branches], conversation())?.answer.text).toBe('other')
  })

  test('remembers from the newest result that has it', () => {
    const remembering = scenario({ remember: { place: 'at (\\S+)', none: 'never (.)' } })
    const results = ['at a', 'at b', 'nothing'].map((text) => ({ text, isError: false }))
    expect(choose([remembering], conversation({ results }))?.captures).toEqual({ place: 'b', none: '' })
  })
})
