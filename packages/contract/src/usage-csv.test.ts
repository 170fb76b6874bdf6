import fc from 'fast-check'
import { expect, it } from 'vitest'
import { usageCsv } from './usage-csv.ts'

const sum = {
  requests: 2,
  unpriced: 1,
  inputTokens: 10,
  outputTokens: 3,
  cacheReadTokens: 4,
  cacheWriteTokens: 5,
  costUsd: 0.25,
}

it('is a table with a head', () => {
  expect(usageCsv('model', [{ key: 'claude-x', ...sum }])).toBe(
    'model,requests,unpriced,inputTokens,outputTokens,cacheReadTokens,cacheWriteTokens,costUsd\r\nclaude-x,2,1,10,3,4,5,0.25\r\n',
  )
  expect(usageCsv('session', [{ key: 'ses_1', title: 'Fix "a", b', ...sum }])).toContain(
    '\r\nses_1,"Fix ""a"", b",2,',
  )
})

it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', ' =1', '=HYPERLINK("http://x","y")'])(
  'makes no formula of %j',
  (key) => {
    const head = usageCsv('user', [])
    expect(usageCsv('user', [{ key, ...sum }]).slice(head.length)).toMatch(/^"?'/)
  },
)

/** Reads a table back as RFC 4180 says. */
const parse = (csv: string): string[][] => {
  const rows: string[][] = [[]]
  const cell = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r\n)/gy
  for (let match = cell.exec(csv); match !== null; match = cell.exec(csv)) {
    const raw = match[1] ?? ''
    rows.at(-1)?.push(raw.startsWith('"') ? raw.slice(1, -1).replaceAll('""', '"') : raw)
    if (match[2] === '\r\n') rows.push([])
    if (cell.lastIndex === csv.length) break
  }
  return rows.slice(0, -1)
}

it('[P186] gives every word back, whatever it is, and no cell that begins a formula', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string(), fc.string()), { maxLength: 5 }), (words) => {
      const csv = usageCsv(
        'session',
        words.map(([key, title]) => ({ key, title, ...sum })),
      )
      const [, ...rows] = parse(csv)
      expect(rows).toHaveLength(words.length)
      for (const [index, [key = '', title = '']] of rows.entries())
        for (const [cell, word] of [
          [key, words[index]?.[0]],
          [title, words[index]?.[1]],
        ] as const) {
          expect([word, `'${word}`]).toContain(cell)
          expect(cell.trimStart()).not.toMatch(/^[=+\-@]/)
        }
    }),
  )
})
