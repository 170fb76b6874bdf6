import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseContents, parseNumstat, parseRaw, parseSections, parseShortstat } from './diff-output.ts'

const object = 'a'.repeat(40)
const name = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !text.includes('\0'))
const oddNames = [
  '-rf',
  'a\nb',
  'a\tb',
  '"quoted"',
  'späß ✨',
  ' leading',
  'a\\b',
  ':100644 100644',
  '1\t2\tx',
]

describe('raw lists', () => {
  it.each(oddNames)('keep the name %j', (path) => {
    const [change] = parseRaw(`:100644 100755 ${object} ${object} M\0${path}\0`)
    expect(change).toEqual({ path, from: undefined, status: 'modified', mode: '100755', object })
  })

  it('know every kind of change', () => {
    const entries = [
      `:000000 100644 ${object} ${object} A\0a\0`,
      `:100644 000000 ${object} ${object} D\0d\0`,
      `:100644 120000 ${object} ${object} T\0t\0`,
      `:100644 100644 ${object} ${object} R087\0old\0new\0`,
      `:100644 100644 ${object} ${object} C100\0from\0copy\0`,
    ]
    expect(
      parseRaw(entries.join('')).map(({ path, from, status, mode }) => [status, path, from, mode]),
    ).toEqual([
      ['added', 'a', undefined, '100644'],
      ['deleted', 'd', undefined, '100644'],
      ['type-changed', 't', undefined, '120000'],
      ['renamed', 'new', 'old', '100644'],
      ['added', 'copy', undefined, '100644'],
    ])
  })

  it('are read up to any cut, with any names', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(name, fc.option(name))), fc.nat(2000), (entries, cut) => {
        const text = entries
          .map(([path, from]) =>
            from === null
              ? `:100644 100644 ${object} ${object} M\0${path}\0`
              : `:100644 100644 ${object} ${object} R100\0${from}\0${path}\0`,
          )
          .join('')
        const all = entries.map(([path, from]) => ({ path, from: from ?? undefined }))
        const read = (part: string) => parseRaw(part).map(({ path, from }) => ({ path, from }))
        expect(read(text)).toEqual(all)
        const some = read(text.slice(0, cut))
        expect(some).toEqual(all.slice(0, some.length))
      }),
    )
  })
})

describe('counts', () => {
  it.each(oddNames)('keep the name %j', (path) => {
    expect(parseNumstat(`3\t4\t${path}\0`).get(path)).toEqual({ binary: false, insertions: 3, deletions: 4 })
  })

  it('know renames and binary files', () => {
    const counts = parseNumstat('1\t2\t\0old\0new\0-\t-\tbinary\0-\t-\t\0b1\0b2\x005\t0\tlast\0')
    expect([...counts]).toEqual([
      ['new', { binary: false, insertions: 1, deletions: 2 }],
      ['binary', { binary: true, insertions: 0, deletions: 0 }],
      ['b2', { binary: true, insertions: 0, deletions: 0 }],
      ['last', { binary: false, insertions: 5, deletions: 0 }],
    ])
  })

  it.each([
    ['', { files: 0, insertions: 0, deletions: 0 }],
    [' 1 file changed, 1 insertion(+)\n', { files: 1, insertions: 1, deletions: 0 }],
    [' 2 files changed, 1 deletion(-)\n', { files: 2, insertions: 0, deletions: 1 }],
    [' 12 files changed, 30 insertions(+), 4 deletions(-)\n', { files: 12, insertions: 30, deletions: 4 }],
  ])('sum up %j', (text, expected) => {
    expect(parseShortstat(text)).toEqual(expected)
  })
})

describe('contents and sections', () => {
  const bytes = fc.uint8Array({ maxLength: 200 }).map((value) => Buffer.from(value))

  it('are read as they were written, up to any cut', () => {
    fc.assert(
      fc.property(fc.array(bytes, { maxLength: 10 }), fc.nat(3000), (contents, cut) => {
        const id = (index: number) => index.toString(16).padStart(40, '0')
        const parts = contents.flatMap((content, index) => [
          `${id(index)} blob ${content.length}\n`,
          content,
          '\n',
        ])
        const output = Buffer.concat(parts.map((part) => Buffer.from(part)))
        const expected = contents.map((content, index) => [id(index), content])
        expect([...parseContents(output)]).toEqual(expected)
        const some = [...parseContents(output.subarray(0, cut))]
        expect(some).toEqual(expected.slice(0, some.length))
      }),
    )
  })

  it('leave out what is missing or no file', () => {
    expect(parseContents(Buffer.from(`${object} missing\n`)).size).toBe(0)
    expect(parseContents(Buffer.from(`${object} tree 3\nabc\n`)).size).toBe(0)
    expect(parseContents(Buffer.from(`${object} blob 3\nabcX`)).size).toBe(0)
  })

  it('are split by their lengths, the last one to the end', () => {
    const sections = parseSections(Buffer.from('commit 4\nabc\npatch   0\ncontents -\nx 1\ny'))
    expect([...(sections ?? [])].map(([key, value]) => [key, value.toString()])).toEqual([
      ['commit', 'abc\n'],
      ['patch', ''],
      ['contents', 'x 1\ny'],
    ])
  })

  it.each(['commit', 'commit 9\nabc', 'commit x\n', `${'x'.repeat(100)} 1\n`, '\n', 'commit -5\n'])(
    'refuse %j',
    (text) => {
      expect(parseSections(Buffer.from(text))).toBeUndefined()
    },
  )

  it('never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.string(), (raw, text) => {
        parseSections(Buffer.from(raw))
        parseContents(Buffer.from(raw))
        parseRaw(text)
        parseNumstat(text)
      }),
    )
  })
})
