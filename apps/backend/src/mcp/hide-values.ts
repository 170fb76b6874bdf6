import { Transform } from 'node:stream'

const hidden = Buffer.from('[hidden]')
/** Shorter values would hide words that just look the same. */
const shortest = 6

/** Passes bytes on, but for these values: also where one lies across two chunks. */
export const hideValues = (values: readonly string[]): Transform => {
  const secrets = values.flatMap((value) => {
    const bare = value.replace(/^(Bearer|Basic|Token)\s+/i, '')
    return [...new Set([value, bare])]
      .filter((text) => text.length >= shortest)
      .map((text) => Buffer.from(text))
  })
  secrets.sort((a, b) => b.length - a.length)
  const longest = Math.max(0, ...secrets.map(({ length }) => length))
  let held = Buffer.alloc(0)
  /** What may go out: all but a tail in which a value may begin. */
  const pass = (whole: Buffer, last: boolean): Buffer => {
    const out: Buffer[] = []
    let from = 0
    for (;;) {
      const found = secrets
        .map((secret) => ({ secret, at: whole.indexOf(secret, from) }))
        .filter(({ at }) => at >= 0)
        .sort((a, b) => a.at - b.at || b.secret.length - a.secret.length)[0]
      if (found === undefined) break
      out.push(whole.subarray(from, found.at), hidden)
      from = found.at + found.secret.length
    }
    const end = last ? whole.length : Math.max(from, whole.length - Math.max(0, longest - 1))
    out.push(whole.subarray(from, end))
    held = Buffer.from(whole.subarray(end))
    return Buffer.concat(out)
  }
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      done(null, pass(Buffer.concat([held, chunk]), false))
    },
    flush(done) {
      done(null, pass(held, true))
    },
  })
}
