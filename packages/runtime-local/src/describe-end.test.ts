import { expect, test } from 'vitest'
import { describeEnd } from './describe-end.ts'

test.each([
  [0, { reason: 'exited', exitCode: 0 }],
  [1, { reason: 'crashed', exitCode: 1 }],
  [127, { reason: 'crashed', exitCode: 127 }],
  [137, { reason: 'killed', signal: 'SIGKILL' }],
  [143, { reason: 'killed', signal: 'SIGTERM' }],
  [255, { reason: 'crashed', exitCode: 255 }],
  [undefined, { reason: 'lost' }],
])('code %s', (code, expected) => {
  const { message, ...facts } = describeEnd(code, 'boom')
  expect(facts).toEqual(expected)
  expect(message).toMatch(/^The runner /)
  expect(message.includes('boom')).toBe(code !== 0 && code !== undefined)
})
