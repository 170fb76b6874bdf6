import { describe, expect, test } from 'vitest'
import { parseScenario, ScenarioError } from './parse-scenario.ts'

const head = 'name: sample\ndescription: A sample.\n'

describe('parseScenario', () => {
  test('fills defaults in', () => {
    const scenario = parseScenario(`${head}steps: [{ text: hi, fault: { kind: cut } }]`, 'a.yaml')
    expect(scenario).toMatchObject({
      name: 'sample',
      remember: {},
      steps: [{ text: 'hi', fault: { after: 1 } }],
    })
  })

  test('takes JSON as well', () => {
    expect(parseScenario('{"name":"a","description":"b","steps":[{"text":"c"}]}', 'a.json').name).toBe('a')
  })

  test.each([
    ['no YAML', 'name: [', 'the file', 'Correct the YAML'],
    ['empty', '', 'the file', 'expected object'],
    ['a bad name', 'name: Not Good\ndescription: x\nsteps: [{ text: a }]', 'name', 'lower-case'],
    ['no steps', `${head}steps: []`, 'steps', '>=1'],
    ['an unknown key', `${head}steps: [{ txt: a }]`, 'steps[0]', 'txt'],
    [
      'a bad pattern',
      `${head}when: { prompt: { matches: '(' } }\nsteps: [{ text: a }]`,
      'when.prompt.matches',
      'Correct',
    ],
    ['an unknown name', `${head}steps: [{ text: '{{who}}' }]`, 'steps[0].text', '{{who}} is not known'],
    ['an unknown pipe', `${head}steps: [{ text: '{{prompt | shout}}' }]`, 'steps[0].text', 'Use one of: or'],
    ['a silent step', `${head}steps: [{ pace: {} }]`, 'steps[0]', 'says nothing'],
    ['a result in a step', `${head}steps: [{ when: { result: {} }, text: a }]`, 'steps[0].when', 'result'],
    [
      'an open end',
      `${head}steps: [{ first_of: [{ when: { turn: 1 }, text: a }] }]`,
      'steps[0].first_of',
      'End the list',
    ],
    ['two answers', `${head}steps: [{ text: a, first_of: [{ text: b }] }]`, 'steps[0]', 'Keep one'],
    [
      'an unknown name deep in an input',
      `${head}steps: [{ tools: [{ name: A, input: { b: ['{{c}}'] } }] }]`,
      'steps[0].tools[0].input.b[0]',
      'c',
    ],
  ])('refuses %s and says where and what to do', (_, text, path, words) => {
    const error = catchError(() => parseScenario(text, 'dir/bad.yaml'))
    expect(error.file).toBe('dir/bad.yaml')
    expect(error.message).toContain('dir/bad.yaml')
    expect(error.problems.map((problem) => problem.path)).toContain(path)
    expect(error.message).toContain(words)
  })

  test('knows groups of patterns, and remembered values', () => {
    const text = `${head}when: { prompt: { matches: '(?<who>x)(y)' } }
remember: { place: 'at (.+)' }
steps: [{ text: '{{who}} {{1}} {{2}} {{place}} {{cwd}}' }]`
    expect(parseScenario(text, 'a.yaml').steps).toHaveLength(1)
  })

  test('refuses a file that is too large', () => {
    expect(() => parseScenario('x'.repeat(300_000), 'big.yaml')).toThrow('Split it')
  })
})

function catchError(action: () => unknown): ScenarioError {
  try {
    action()
  } catch (error) {
    if (error instanceof ScenarioError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
