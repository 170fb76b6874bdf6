import { Readable } from 'node:stream'
import { text as textOf } from 'node:stream/consumers'
import type { HeldText } from '@berth/contract'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formsOf } from './forms.ts'
import { showMore, showRest } from './held-text.ts'
import { HideStream } from './hide-stream.ts'
import { Hider, type Pattern, patternsOf } from './hider.ts'
import { Matcher } from './matcher.ts'

/** Patterns of few letters, so that they overlap, repeat and lie in each other. */
const word = fc.string({ unit: fc.constantFrom('a', 'b', 'é'), minLength: 1, maxLength: 6 })
const words = fc.uniqueArray(word, { minLength: 1, maxLength: 5 })
const text = fc.string({ unit: fc.constantFrom('a', 'b', 'é', ' ', '😀'), maxLength: 40 })
const cuts = fc.array(fc.nat(40), { maxLength: 8 })

const patternOf = (word: string, form: number): Pattern => ({
  ...{ name: 's', version: 1, form, text: word, mark: `<${form}>` },
})
const hiderFor = (list: readonly string[]) => new Hider(list.map(patternOf))

const split = (whole: string, places: readonly number[]): string[] => {
  const ends = [...new Set([...places.filter((place) => place < whole.length), whole.length])].sort(
    (a, b) => a - b,
  )
  return ends.map((end, i) => whole.slice(ends[i - 1] ?? 0, end))
}

/** Each place that any of the words covers becomes one mark. Slow, and without tricks. */
const slowly = (whole: string, list: readonly string[]): string => {
  const found = list
    .flatMap((pattern, form) =>
      Array.from({ length: whole.length }, (_, start) => ({
        start,
        end: start + pattern.length,
        form,
      })).filter(({ start }) => whole.startsWith(pattern, start)),
    )
    .sort((a, b) => a.start - b.start || b.end - a.end)
  let out = ''
  let done = 0
  for (const { start, end, form } of found) {
    if (start >= done) out += `${whole.slice(done, start)}<${form}>`
    else if (done === 0) out += ''
    done = Math.max(done, end)
  }
  return out + whole.slice(done)
}

/** What a reader of the log has after each delta, and at the end. */
const shownBy = (pieces: readonly string[], hider: Hider | undefined) => {
  let held: HeldText | undefined
  let seen = ''
  let raw = 0
  const moments: string[] = []
  const states: (HeldText | undefined)[] = []
  for (const piece of pieces) {
    const more = showMore(held, { offset: raw, text: piece }, hider)
    raw += piece.length
    seen = seen.slice(0, more.offset) + more.text
    expect(more.offset).toBeLessThanOrEqual(seen.length)
    held = more.held
    moments.push(seen)
    states.push(held)
  }
  const whole = held === undefined ? seen : seen.slice(0, held.shown) + showRest(held, hider)
  return { moments, whole, states }
}

describe('hiding', () => {
  it('[P172] [S15] hides what a slow search finds, overlaps as one', () => {
    fc.assert(
      fc.property(words, text, (list, whole) => {
        expect(hiderFor(list).whole(whole)).toBe(slowly(whole, list))
      }),
      { numRuns: 500 },
    )
  })

  it('[P172] [S15] shows of a text in pieces no secret at any moment, and in the end the whole', () => {
    fc.assert(
      fc.property(words, text, cuts, (list, whole, places) => {
        const hider = hiderFor(list)
        const { moments, whole: end, states } = shownBy(split(whole, places), hider)
        expect(end).toBe(slowly(whole, list))
        for (const moment of moments) {
          expect(end.startsWith(moment)).toBe(true)
          for (const secret of list) expect(moment).not.toContain(secret)
        }
        // Nor does what is kept for later.
        for (const state of states)
          for (const secret of list) expect(state?.ready ?? '').not.toContain(secret)
      }),
      { numRuns: 500 },
    )
  })

  it('[P172] holds back no more for a beginning of a secret than for anything else of its letters', () => {
    const hider = hiderFor(['abba-baab'])
    const lengths = (pieces: string[]) => shownBy(pieces, hider).moments.map(({ length }) => length)
    for (const tail of ['abba', 'abbb', 'bbbb', 'baab'])
      expect(lengths(['see: ', tail, ' then ', tail])).toEqual(
        [4, 4, 14, 14].map((n) => n + (n === 4 ? 1 : 1)),
      )
  })

  it('[P172] shows nothing more of a block whose pieces do not follow each other, until it is complete', () => {
    const hider = hiderFor(['abcdefgh'])
    const first = showMore(undefined, { offset: 0, text: 'x abcd' }, hider)
    expect(first).toMatchObject({ offset: 0, text: 'x ' })
    const over = showMore(first.held, { offset: 1, text: 'efgh ' }, hider)
    expect(over).toMatchObject({ offset: 2, text: '', held: { lost: true } })
    expect(showMore(over.held, { offset: 6, text: 'more ' }, hider).text).toBe('')
    const gap = showMore(first.held, { offset: 9, text: 'late ' }, hider)
    expect(gap).toMatchObject({ offset: 2, text: '' })
    expect(showMore(gap.held, { offset: 6, text: 'efgh ' }, hider).text).toBe('<0> ')
  })

  it('[P172] shows a text that began before there was a secret, and goes on when there is none', () => {
    const hider = hiderFor(['abcdefgh'])
    const more = showMore(undefined, { offset: 100, text: ' abcd' }, hider)
    expect(more).toMatchObject({ offset: 100, text: ' ' })
    expect(showMore(more.held, { offset: 105, text: ' y' }, hider)).toMatchObject({
      offset: 101,
      text: 'abcd y',
    })
    const forgotten = showMore(more.held, { offset: 105, text: ' y' }, undefined)
    expect(forgotten).toMatchObject({ text: '', held: { lost: true } })
    expect(showMore(undefined, { offset: 3, text: 'abc' }, undefined)).toEqual({
      ...{ offset: 3, text: 'abc', held: undefined },
    })
  })

  it('takes time by the text alone, also for patterns that repeat themselves', () => {
    const list = Array.from({ length: 200 }, (_, i) => `${'a'.repeat(300 + i)}b`)
    const hider = hiderFor(list)
    expect(hider.whole('a'.repeat(1_000_000))).toHaveLength(1_000_000)
  })

  it('finds the longest pattern at each end, and what is open', () => {
    const matcher = new Matcher(['he', 'she', 'hers', 'abcabx'])
    expect(matcher.find('shers').matches).toEqual([
      { start: 0, end: 3, pattern: 1 },
      { start: 1, end: 5, pattern: 2 },
    ])
    expect(matcher.find('xxabcab').open.units).toBe(5)
    expect(matcher.find('abcabx').open.units).toBe(0)
    expect(new Matcher([]).find('anything')).toMatchObject({ matches: [], open: { units: 0 } })
  })
})

describe('forms of a value', () => {
  const value = 'p@ss "w\\ord"/é+?1'
  const known = { items: [{ name: 'token', version: 1, value }] }
  const hider = new Hider(patternsOf(known))

  it.each([
    ['as it is', value],
    ['in JSON', JSON.stringify({ a: value })],
    ['in JSON in JSON', JSON.stringify({ a: JSON.stringify({ a: value }) })],
    ['in a URL', `https://x/?a=${encodeURIComponent(value)}`],
    ['in base64', Buffer.from(value).toString('base64')],
    ['in base64 of more', Buffer.from(`user:${value}\n`).toString('base64')],
    ['in base64url of more', Buffer.from(`ab:${value}.`).toString('base64url')],
    ['in hexadecimal', Buffer.from(value).toString('hex')],
  ])('[P172] are hidden %s', (_, whole) => {
    const hidden = hider.whole(`before ${whole} after`)
    expect(hidden).toContain('[secret:token]')
    for (const form of formsOf(value)) expect(hidden).not.toContain(form)
    expect(hidden).toMatch(/^before .* after$/)
  })

  it('hides the lines of a value that has several, but not what all such values share', () => {
    const pem = `-----BEGIN PRIVATE KEY-----\n${'A1b2'.repeat(16)}\n${'C3d4'.repeat(16)}\n-----END PRIVATE KEY-----\n`
    const forms = new Hider(patternsOf({ items: [{ name: 'key', version: 1, value: pem }] }))
    expect(forms.whole(`1: ${'C3d4'.repeat(16)}`)).toBe('1: [secret:key]')
    expect(forms.whole('-----BEGIN PRIVATE KEY-----')).toBe('-----BEGIN PRIVATE KEY-----')
    expect(forms.whole(`x ${pem.trim()} y`)).toBe('x [secret:key] y')
  })

  it('never makes a text longer', () => {
    const short = new Hider(patternsOf({ items: [{ name: 'a-long-name', version: 1, value: 'abc12345' }] }))
    expect(short.whole('x abc12345 y')).toBe('x [secret] y')
  })

  it('passes bytes of any kind on, but for values, wherever they are cut', async () => {
    const bytes = Buffer.concat([Buffer.from([0, 255, 254]), Buffer.from(value), Buffer.from([195, 1])])
    const pieces = Array.from(bytes, (byte) => Buffer.from([byte]))
    const stream = new HideStream(hider, 'latin1')
    const hidden = await Readable.from(pieces).pipe(stream).toArray()
    expect(Buffer.concat(hidden)).toEqual(
      Buffer.concat([Buffer.from([0, 255, 254]), Buffer.from('[secret:token]'), Buffer.from([195, 1])]),
    )
    expect(stream.changed).toBe(true)
    const other = new HideStream(hider)
    expect(await textOf(Readable.from(['p@ss ', '"', 'x']).pipe(other))).toBe('p@ss "x')
    expect(other.changed).toBe(false)
  })
})
