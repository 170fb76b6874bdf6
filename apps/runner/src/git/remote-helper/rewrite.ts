import { Transform } from 'node:stream'

/** Replaces a text in a stream, also where it comes in pieces; only what may be its beginning is held back. */
export const rewrite = (from: string, to: string): Transform => {
  let held = ''
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      // Whatever the bytes are: as latin1 each is a character, and they come out as they went in.
      const text = (held + chunk.toString('latin1')).replaceAll(from, to)
      const keep = beginningAtEnd(text, from)
      held = text.slice(text.length - keep)
      done(null, Buffer.from(text.slice(0, text.length - keep), 'latin1'))
    },
    flush(done) {
      done(null, Buffer.from(held, 'latin1'))
    },
  })
}

/** How many of the last characters may be the beginning of what is looked for. */
const beginningAtEnd = (text: string, wanted: string): number => {
  for (let size = Math.min(wanted.length - 1, text.length); size > 0; size--)
    if (text.endsWith(wanted.slice(0, size))) return size
  return 0
}
