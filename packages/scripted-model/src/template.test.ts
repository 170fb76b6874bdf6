import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fill, fillDeep, fillNumber, inspectTemplate } from './template.ts'

const values: Record<string, string> = { name: 'Ada', n: '3', empty: '', text: 'abcdef' }
const lookup = (name: string) => values[name]

describe('fill', () => {
  test.each([
    ['no placeholder', 'no placeholder'],
    ['hello {{name}}', 'hello Ada'],
    ['{{ name }} {{name}}', 'Ada Ada'],
    ['[{{nothing}}]', '[]'],
    ['{{empty | or (none)}}', '(none)'],
    ['{{name | or (none)}}', 'Ada'],
    ['{{n | count}}', '1 2 3'],
    ['{{n | words}}', 'berth moors many'],
    ['{{name | count}}', ''],
    ['{{text | first 2}}', 'ab'],
    ['{{text | last 2}}', 'ef'],
    ['{{text | first 99 | last 1}}', 'f'],
    ['{ "a": {{n}} }', '{ "a": 3 }'],
  ])('%s', (template, filled) => {
    expect(fill(template, lookup)).toBe(filled)
  })

  test('never fills what was filled in', () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        expect(fill('{{value}}', () => `{{name}}${value}`)).toBe(`{{name}}${value}`)
      }),
    )
  })

  test('quotes for a shell whatever the text is', () => {
    const text = `a'b"c $HOME \`id\` \\ ; rm\nx`
    expect(
      execFileSync('sh', ['-c', fill('printf %s {{text | sh}}', () => text)], { encoding: 'utf8' }),
    ).toBe(text)
  })

  test('limits what it generates', () => {
    expect(fill('{{n | count}}', () => '999999999').split(' ')).toHaveLength(100_000)
  })
})

test('fillDeep fills strings inside a value and leaves the rest', () => {
  const value = { a: ['{{name}}', 1, null, true], b: { c: '{{n}}' } }
  expect(fillDeep(value, lookup)).toEqual({ a: ['Ada', 1, null, true], b: { c: '3' } })
})

test.each([
  [5, 5],
  [50, 10],
  ['{{n}}', 3],
  ['{{name}}', 0],
  ['-4', 0],
])('fillNumber(%s) up to 10 is %i', (value, number) => {
  expect(fillNumber(value, lookup, 10)).toBe(number)
})

test('inspectTemplate names what is used', () => {
  expect(inspectTemplate('{{a}} {{b | or x | shout}}')).toEqual({
    names: ['a', 'b'],
    unknownPipes: ['shout'],
  })
})
