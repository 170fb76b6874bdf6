import type { Transform } from 'node:stream'
import { HideStream } from '../session/redact/hide-stream.ts'
import { Hider } from '../session/redact/hider.ts'

const hidden = '[hidden]'
/** Shorter values would hide words that just look the same. */
const shortest = 6

/** Passes bytes on, but for these values: also where one lies across two chunks. */
export const hideValues = (values: readonly string[]): Transform => {
  const texts = values.flatMap((value) => [value, value.replace(/^(Bearer|Basic|Token)\s+/i, '')])
  const patterns = [...new Set(texts)]
    .filter(({ length }) => length >= shortest)
    // Bytes pass as they are, whatever they are: so they are compared one by one.
    .map((text, form) => ({ form, text: Buffer.from(text).toString('latin1'), mark: hidden }))
  return new HideStream(new Hider(patterns.map((one) => ({ ...one, name: '', version: 0 }))), 'latin1')
}
