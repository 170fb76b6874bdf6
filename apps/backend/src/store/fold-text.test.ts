import { expect, it } from 'vitest'
import { foldText } from './fold-text.ts'

it.each([
  ['Straße', 'STRASSE'],
  ['ẞ', 'ss'],
  ['ΟΔΟΣ', 'οδοσ'],
  ['οδος', 'ΟΔΟΣ'],
  ['ПРИВЕТ', 'привет'],
  ['ﬁne', 'FINE'],
  ['é', 'E\u0301'],
])('%s looks like %s', (a, b) => {
  expect(foldText(a)).toBe(foldText(b))
})
