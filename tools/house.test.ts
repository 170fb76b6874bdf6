import { describe, expect, test } from 'vitest'
import { checks } from './checks.mjs'
import { isTestFile, read, sourceFiles, trackedFiles } from './house/tracked-files.ts'

/** Longer files that are one table of data; each says why in its first comment. */
const dataTables: readonly string[] = []

const HARD_STOP = 400
const HARD_STOP_OF_TESTS = 600
const MEDIAN = 90

const code = trackedFiles().filter((file) => /\.(ts|tsx|mjs)$/.test(file))
const lines = (file: string) => read(file).split('\n').length - 1

describe('house numbers', () => {
  test(`no file is longer than ${HARD_STOP} lines, no test longer than ${HARD_STOP_OF_TESTS}`, () => {
    const stop = (file: string) => (isTestFile(file) ? HARD_STOP_OF_TESTS : HARD_STOP)
    const long = code.filter((file) => lines(file) > stop(file) && !dataTables.includes(file))
    expect(long.map((file) => `${file}: ${lines(file)}`)).toEqual([])
  })

  test('every listed data table is there, is long, and says why', () => {
    const wrong = dataTables.filter((file) => lines(file) <= HARD_STOP || !/^\/[/*]/.test(read(file)))
    expect(wrong).toEqual([])
  })

  test(`half of the source files have at most ${MEDIAN} lines`, () => {
    const sizes = sourceFiles()
      .filter((file) => !isTestFile(file))
      .map(lines)
      .sort((a, b) => a - b)
    expect(sizes[Math.floor(sizes.length / 2)]).toBeLessThanOrEqual(MEDIAN)
  })

  test('nothing is left to do in a comment', () => {
    // Put together from two parts, so that this file doesn't find itself.
    const marks = new RegExp(
      `\\b(${['TO', 'FIX', 'XX'].map((mark, i) => mark + ['DO', 'ME', 'X'][i]).join('|')})\\b`,
    )
    expect(code.filter((file) => marks.test(read(file)))).toEqual([])
  })

  test('nothing is exported without its name', () => {
    expect(code.filter((file) => /^export \* from/m.test(read(file)))).toEqual([])
  })

  test('npm run check runs what npm test runs', () => {
    const { scripts } = JSON.parse(read('package.json'))
    expect(scripts.check).toBe(checks.map(({ command }) => command.join(' ')).join(' && '))
  })
})
