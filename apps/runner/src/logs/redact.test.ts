import { limits } from '@berth/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createRedactor } from './redact.ts'

const token = 'brt_own-token-of-this-runner'
const redact = createRedactor([token, 'plain-secret'])

test.each([
  [`POST failed, token ${token}`, 'POST failed, token [hidden]'],
  ['authorization: Bearer abcdefgh.ijkl', 'authorization: Bearer [hidden]'],
  ['key sk-ant-api03-AbC_d-9 refused', 'key [hidden] refused'],
  ['clone https://me:p4ss@git.example.com/a.git', 'clone https://me:[hidden]@git.example.com/a.git'],
  ['ghp_0123456789abcdef glpat-0123456789ab', '[hidden] [hidden]'],
  ['plain-secretplain-secret', '[hidden][hidden]'],
  ['\u001b[31mred\u001b[0m\tand\u0007 \u202emore\u2028', 'red and more'],
  ['nothing to hide: 12:30 http://127.0.0.1:80/a', 'nothing to hide: 12:30 http://127.0.0.1:80/a'],
])('%j becomes %j', (text, safe) => expect(redact(text)).toBe(safe))

test('a secret is never cut so that a part of it stays', () => {
  for (let before = limits.logLine - 40; before <= limits.logLine; before++)
    expect(redact(`${'x'.repeat(before)}${token}${'y'.repeat(50)}`)).not.toMatch(/brt|own/)
})

test('whatever comes, a line is short, on one line, and well formed', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 5000 }), fc.string({ maxLength: 9 }), (text, rest) => {
      const safe = redact(`${text}${token}\n${rest}`)
      expect(safe.length).toBeLessThanOrEqual(limits.logLine)
      expect(safe).not.toMatch(/[\p{Cc}\u2028\u2029]/u)
      expect(safe.isWellFormed()).toBe(true)
      expect(safe).not.toContain(token)
    }),
  )
})
