import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkSessionId, isSessionId } from './session-id.ts'

test('what passes is one harmless name', () => {
  const near = fc.stringMatching(/^ses_[0-9a-z]{24,28}$/)
  fc.assert(
    fc.property(fc.oneof(fc.string(), near), (text) => {
      expect(isSessionId(text)).toBe(
        text.length === 30 && /^ses_[0-9a-z]*$/.test(text) && !text.includes('\n'),
      )
    }),
  )
})

test.each([
  'ses_00000000000000000000000000\n',
  'SES_00000000000000000000000000',
  'ses_0000000000000000000000000/',
])('refuses %j', (text) => expect(() => checkSessionId(text)).toThrow(/not a session id/))
