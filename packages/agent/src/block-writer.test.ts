import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createBlockWriter } from './block-writer.ts'
import { maxTextLength } from './bounds.ts'
import type { Clock } from './clock.ts'
import type { AgentFact } from './fact.ts'

/** A writer whose timer runs when the test says so. */
const setup = () => {
  const facts: AgentFact[] = []
  let due: (() => void) | undefined
  const clock: Clock = {
    now: () => 0,
    after(ms, callback) {
      expect(ms).toBeLessThanOrEqual(50)
      due = callback
      return () => {
        due = undefined
      }
    },
  }
  let id = 0
  const writer = createBlockWriter({ emit: (fact) => facts.push(fact), newId: () => `b${++id}`, clock })
  const tick = () => {
    const callback = due
    due = undefined
    callback?.()
  }
  const deltas = () => facts.flatMap((fact) => (fact.type === 'block.delta' ? [fact.data] : []))
  return { facts, writer, tick, deltas, waits: () => due !== undefined }
}

const text = { kind: 'text', turn: 't', parent: undefined } as const

test('deltas are gathered, in order and without gaps, and never cut a character in two', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.string({ unit: 'binary', maxLength: 3000 }), fc.boolean()), { maxLength: 20 }),
      fc.boolean(),
      (pieces, abort) => {
        const { writer, tick, deltas, facts, waits } = setup()
        const block = writer.start(text)
        const halves = pieces.flatMap(([piece, wait]) => {
          const middle = Math.floor(piece.length / 2)
          return [[piece.slice(0, middle), wait] as const, [piece.slice(middle), !wait] as const]
        })
        for (const [piece, wait] of halves) {
          writer.append(block, piece)
          if (wait) tick()
        }
        const whole = pieces.map(([piece]) => piece).join('')
        if (abort) writer.abort(block, 'x')
        else writer.complete(block)
        let at = 0
        for (const delta of deltas()) {
          expect(delta.offset).toBe(at)
          expect(delta.text.length).toBeLessThanOrEqual(2048)
          expect(delta.text.isWellFormed()).toBe(true)
          expect(whole.startsWith(delta.text, at)).toBe(true)
          at += delta.text.length
        }
        if (abort) expect(at).toBe(whole.length)
        else expect(facts.at(-1)).toMatchObject({ type: 'block.completed', data: { text: whole } })
        expect(waits()).toBe(false)
      },
    ),
  )
})

test('a block ends once', () => {
  const { writer, facts } = setup()
  const block = writer.start(text)
  writer.complete(block, 'all')
  writer.abort(block, 'x')
  writer.complete(block)
  writer.append(block, 'more')
  expect(facts.map(({ type }) => type)).toEqual(['block.started', 'block.completed'])
})

test('what is too long is cut with one notice', () => {
  const { writer, facts } = setup()
  const block = writer.start(text)
  const piece = 'x'.repeat(maxTextLength)
  writer.append(block, piece)
  writer.append(block, 'y')
  writer.append(block, 'y')
  writer.complete(block)
  expect(facts.filter(({ type }) => type === 'runner.notice')).toHaveLength(1)
  expect(facts.at(-1)).toEqual({ type: 'block.completed', data: { block: 'b1', text: piece } })
})

test('at most 256 blocks are open', () => {
  const { writer, facts } = setup()
  for (let i = 0; i < 257; i++) writer.start(text)
  expect(facts.filter(({ type }) => type === 'block.aborted')).toMatchObject([{ data: { block: 'b1' } }])
})
