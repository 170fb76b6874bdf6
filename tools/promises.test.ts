import { describe, expect, test } from 'vitest'
import { faults } from '../test/faults.ts'
import { promises } from '../test/promises.ts'
import { citedPromises } from './house/cited-promises.ts'
import { isTestFile, read, trackedFiles } from './house/tracked-files.ts'

const self = 'tools/promises.test.ts'
const citations = trackedFiles('.ts')
  .filter((file) => file !== self && (isTestFile(file) || file.startsWith('test/')))
  .flatMap((file) => citedPromises(file, read(file)).map((id) => ({ file, id })))

describe('promises and faults', () => {
  test('each is cited by a test', () => {
    const cited = new Set(citations.map(({ id }) => id))
    expect(Object.keys({ ...promises, ...faults }).filter((id) => !cited.has(id))).toEqual([])
  })

  test('each cited number is known', () => {
    expect(citations.filter(({ id }) => !Object.hasOwn({ ...promises, ...faults }, id))).toEqual([])
  })

  test.each([
    [`test('[P1] a', () => {})`, ['P1']],
    ['describe.each([1])(`[P2, S3] $a`, () => {})', ['P2', 'S3']],
    [`const cases = [{ title: '[P4] a' }] // [P5]`, ['P4']],
    [`const map = { P6: list[P7] }`, []],
  ])('are read from titles: %s', (text, ids) => {
    expect(citedPromises('a.test.ts', text)).toEqual(ids)
  })
})
