import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { rewrite } from './rewrite.ts'

const through = async (chunks: Buffer[]) =>
  (await buffer(Readable.from(chunks).pipe(rewrite('http://127.0.0.1:7/git/', 'https://')))).toString('utf8')

it('replaces an address wherever the stream is cut, and leaves every other byte', () =>
  fc.assert(
    fc.asyncProperty(
      fc.string({ unit: 'grapheme' }),
      fc.string(),
      fc.nat(200),
      async (before, after, cut) => {
        const text = Buffer.from(`${before}'http://127.0.0.1:7/git/host/x/'${after}http://127.0`)
        const at = cut % text.length
        const result = await through(
          [text.subarray(0, at), text.subarray(at)].filter(({ length }) => length > 0),
        )
        expect(result).toBe(`${before}'https://host/x/'${after}http://127.0`)
      },
    ),
  ))
