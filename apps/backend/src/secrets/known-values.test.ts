import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createLog } from '../observe/create-log.ts'
import { KnownValues } from './known-values.ts'

const value = 'CANARY/"value" of a-secret'

describe('known values', () => {
  it('[P173] are found anywhere in a text, in their usual forms, and overlapping ones as one', () => {
    const known = new KnownValues()
    expect(known.hide(`a ${value}`)).toBe(`a ${value}`)
    known.know([value, undefined], 'default')
    const base64 = Buffer.from(value).toString('base64')
    const said = `a ${value} ${JSON.stringify(value)} ${encodeURIComponent(value)} ${base64} z`
    expect(known.hide(said)).toMatch(/^a \[secret\] "\[secret\]" \[secret\] \[secret\].{0,4} z$/)
    known.know(['abcdefghijkl', 'ghijklmnopqr'], 'other')
    expect(known.hide('1 abcdefghijklmnopqr 2 ghijklmnopqr')).toBe('1 [secret] 2 [secret]')
  })

  it('[P173] are found wherever they stand, and nothing else is changed', () =>
    fc.assert(
      fc.property(
        fc.array(fc.string({ minLength: 8, maxLength: 12, unit: fc.constantFrom('a', 'b', 'c') }), {
          maxLength: 4,
        }),
        fc.string({ maxLength: 60, unit: fc.constantFrom('a', 'b', 'c', ' ') }),
        (values, text) => {
          const known = new KnownValues()
          known.know(values, 'p')
          const shown = known.hide(text)
          for (const one of values) expect(shown).not.toContain(one)
          if (!values.some((one) => text.includes(one))) expect(shown).toBe(text)
        },
      ),
    ))

  it('are bounded: the values of the project that was used the longest ago go first, those of the installation never', () => {
    const known = new KnownValues({ groups: 3 })
    known.know(['installation-value'])
    for (const name of ['one', 'two']) known.know([`${name}-value-of-it`], name)
    known.know(['one-value-of-it'], 'one')
    known.know(['three-value-of-it'], 'three')
    expect(known.hide('installation-value one-value-of-it two-value-of-it three-value-of-it')).toBe(
      '[secret] [secret] two-value-of-it [secret]',
    )
    const small = new KnownValues({ units: 200 })
    small.know(['first-value-first'], 'a')
    small.know(['second-value-here'], 'b')
    expect(small.hide('first-value-first second-value-here')).toBe('first-value-first [secret]')
  })

  it('tokens are known by their form', () => {
    const known = new KnownValues()
    const jwt = `eyJ${'a'.repeat(20)}.${'b'.repeat(20)}.${'c'.repeat(20)}`
    expect(known.hide(`x brt_owner_${'k'.repeat(43)} usr.${'k'.repeat(43)} ${jwt}, brt_ usr.x`)).toBe(
      'x [secret] [secret] [secret], brt_ usr.x',
    )
  })
})

describe('the log', () => {
  it('[P173] shows no value in a message, a field or an error with its causes; its own fields stay', () => {
    const lines: string[] = []
    const known = new KnownValues()
    const log = createLog({ level: 'trace', known }, { write: (line: string) => void lines.push(line) })
    known.know([value, 'my-project'], 'default')
    const cause = new Error(`upstream said ${value}`)
    const error = Object.assign(new Error(`no ${value}`, { cause }), { body: { deep: [value] } })
    log.error({ err: error, project: 'my-project', reason: `x ${value}` }, `failed with ${value}`)
    log.child({ reqId: '1' }).warn(error)
    log.info('%s', value)
    log.info({ when: new Date(0), list: [1, null, { [value]: true }], token: 'brt_short' })
    expect(lines).toHaveLength(4)
    expect(lines.join('')).not.toContain('CANARY')
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      project: 'my-project',
      reason: 'x [secret]',
      msg: 'failed with [secret]',
      err: { type: 'Error', body: { deep: ['[secret]'] } },
    })
    expect(JSON.parse(lines[1] ?? '')).toMatchObject({
      reqId: '1',
      err: { stack: expect.stringContaining('[secret]') },
    })
    expect(JSON.parse(lines[3] ?? '')).toMatchObject({
      when: '1970-01-01T00:00:00.000Z',
      list: [1, null, {}],
    })
  })
})
