import { isAbsolute } from 'node:path'
import { expect, test } from 'vitest'
import { compileOptions } from './options.ts'

const good = { directory: 'sessions', command: ['node'] }

test('defaults', () => {
  const compiled = compileOptions(good)
  expect(compiled).toMatchObject({ logLimitBytes: 4194304, pollMs: 500, replaceGraceMs: 2000, baseEnv: {} })
  expect(isAbsolute(compiled.directory)).toBe(true)
})

test.each([
  { command: [] },
  { logLimitBytes: 65535 },
  { logLimitBytes: 70000.5 },
  { pollMs: 0 },
  { pollMs: Number.NaN },
  { replaceGraceMs: -1 },
])('refused: %j', (over) => {
  expect(() => compileOptions({ ...good, ...over })).toThrow(/createLocalRuntime: /)
})
