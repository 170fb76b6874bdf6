import { createHash } from 'node:crypto'
import { fact, limits, type RunnerFactBody } from '@berth/contract'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { turn } from '../fixtures/place.ts'
import { fits, shorten, shrink } from './shrink.ts'

const save = async (text: string) => {
  const bytes = Buffer.from(text)
  const blob = createHash('sha256').update(bytes).digest('hex')
  return { blob, size: bytes.length, mediaType: 'text/plain; charset=utf-8' }
}
const block = turn.replace('trn', 'blk')
const request = turn.replace('trn', 'req')
const long = 'x'.repeat(limits.inlineText + 1)

it.each<[string, RunnerFactBody]>([
  ['a block', { type: 'block.completed', data: { block, text: long } }],
  ['a result', { type: 'tool.result', data: { turn, toolUse: 't', isError: false, text: long } }],
  [
    'last words',
    { type: 'turn.ended', data: { turn, attempt: 1, result: 'success', message: long, durationMs: 1 } },
  ],
  [
    'a tool’s input',
    {
      type: 'permission.requested',
      data: {
        request,
        turn,
        tool: 'Write',
        input: { path: 'a', content: long.repeat(10) },
        detail: '',
        because: '',
      },
    },
  ],
  [
    'a raw message',
    { type: 'agent.raw', data: { kind: 'x', message: Array.from({ length: 50_000 }, () => 'ab') } },
  ],
])('makes %s fit', async (_what, body) => {
  expect(fits(body)).toBe(false)
  const { body: short, blobs } = await shrink(body, save)
  expect(fits(short)).toBe(true)
  const parsed = fact.parse({ n: 1, at: new Date().toISOString(), ...short })
  expect(JSON.stringify(parsed).length).toBeLessThan(2 * limits.inlineText)
  expect(blobs).toHaveLength(body.type === 'block.completed' || body.type === 'tool.result' ? 1 : 0)
})

it('leaves alone what fits', async () => {
  const body: RunnerFactBody = { type: 'block.completed', data: { block, text: 'short' } }
  expect(fits(body)).toBe(true)
  expect(await shrink(body, save)).toEqual({ body, blobs: [] })
})

it('shortens any JSON to what an event may hold', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.nat(3), (value, power) => {
      const grown = Array.from({ length: 10 ** power }, () => value)
      const short = JSON.stringify(shorten(grown as never))
      expect(short.length).toBeLessThanOrEqual(limits.inlineText)
    }),
    { numRuns: 30 },
  )
})
