/** Shorter patterns would hide what just looks the same. */
const shortest = 8
/** Longer values are looked for as they are, as JSON and as base64 only: a file, not a token. */
const shortValue = 4096

/**
 * The forms in which a value may show: as it is, in JSON, in a URL, in base64 wherever in a longer text it begins, and in
 * hexadecimal digits, and its bytes one by one; of a value with several lines also each line. In a fixed order; none is shorter than 8 units.
 */
export const formsOf = (value: string): string[] => {
  const whole = value.trim()
  const lines = /[\r\n]/.test(whole) ? linesOf(whole) : []
  const forms = [whole, ...lines].flatMap((text) => [text, inJson(text), inJson(inJson(text))])
  const bytes = Buffer.from(whole, 'utf8')
  const encoded = whole.length > shortValue ? base64At(bytes, 0) : encodings(whole, bytes)
  return [...new Set([...forms, ...encoded, bytes.toString('latin1')])].filter(
    ({ length }) => length >= shortest,
  )
}

const encodings = (text: string, bytes: Buffer): string[] => {
  const inUrl = encodeURIComponent(text.toWellFormed())
  const hex = bytes.toString('hex')
  return [
    ...[inUrl, inUrl.replaceAll('%20', '+'), inUrl.replace(/%../g, (code) => code.toLowerCase())],
    ...[0, 1, 2].flatMap((shift) => base64At(bytes, shift)),
    ...[hex, hex.toUpperCase()],
  ]
}

const inJson = (text: string): string => JSON.stringify(text).slice(1, -1)

/** Lines that say something: not those around a key, which all keys share. */
const linesOf = (text: string): string[] =>
  text
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter((line) => line.length >= 2 * shortest && !line.startsWith('-----'))

/** Bytes as they stand inside the base64 of more, after `shift` bytes of a group: what neighbours decide is left out. */
const base64At = (bytes: Buffer, shift: number): string[] => {
  const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64')
  const inner = text.slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + bytes.length) * 8) / 6))
  return [inner, inner.replaceAll('+', '-').replaceAll('/', '_')]
}
