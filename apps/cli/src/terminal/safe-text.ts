/**
 * Titles, texts and tool results come from an agent that may be hostile: what would drive the terminal (escape
 * sequences, control characters, direction overrides) is shown as a visible sign instead. Works on single characters,
 * so a sequence that is split over two pieces is neutralised too.
 */

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is replaced
const control = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g

const visible = (char: string): string => {
  const code = char.charCodeAt(0)
  if (code < 0x20) return String.fromCharCode(0x2400 + code)
  return code === 0x7f ? '\u2421' : '\ufffd'
}

/** Text of several lines. Tabs and line ends stay; `\r\n` becomes `\n`. */
export const safeText = (text: string): string => text.replace(/\r\n/g, '\n').replace(control, visible)

/** Text on one line: line ends and tabs become spaces. */
export const safeLine = (text: string): string => safeText(text).replace(/[\n\t]+/g, ' ')

/** JSON on one line. Control characters that JSON lets stand are escaped as well. */
export const safeJson = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
