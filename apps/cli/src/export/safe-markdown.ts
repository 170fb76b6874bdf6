import { safeLine, safeText } from '../terminal/safe-text.ts'

/**
 * Text of people and agents inside a document of ours. Whoever wrote it can format it as Markdown, but can't leave its
 * place: no HTML, no pictures that are fetched when the document is opened, no code that runs on a click, and nothing
 * that looks like another entry of the conversation, because every line is quoted.
 */
export const quoted = (text: string): string =>
  segmentsOf(safeText(text))
    .map((segment) => (segment.code ? fence(segment.text, segment.info) : harmless(segment.text)))
    .join('\n')
    .split('\n')
    .map((line) => `> ${line}`.trimEnd())
    .join('\n')

/** Text in a fence that is longer than any run of backticks inside. */
export const fence = (text: string, info = ''): string => {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length))
  const ticks = '`'.repeat(longest + 1)
  return `${ticks}${info}\n${safeText(text).replace(/\n+$/, '')}\n${ticks}`
}

/** Text that is to be read as it is, behind other text on its line. */
export const literal = (text: string): string =>
  safeLine(text).replace(/[\\`*_[\]|~$<>&]/g, (sign) => `&#${sign.charCodeAt(0)};`)

interface Segment {
  code: boolean
  info: string
  text: string
}

/** A line that opens fenced code, also in a list. */
const opens = /^[\s>]*(?:(?:[-*+]|\d{1,9}[.)])\s+)*(`{3,}|~{3,})\s*([A-Za-z0-9_+#.-]{0,30})[^`]*$/

/** Fenced code apart from the rest. It gets fences of ours, so that no reader can see others than we do. */
const segmentsOf = (text: string): Segment[] => {
  const segments: Segment[] = []
  let lines: string[] = []
  let open: { end: RegExp; info: string } | undefined
  const close = () => {
    if (lines.length > 0)
      segments.push({ code: open !== undefined, info: open?.info ?? '', text: lines.join('\n') })
    lines = []
  }
  for (const line of text.split('\n')) {
    const [, ticks, info = ''] = (open === undefined && opens.exec(line)) || []
    if (ticks !== undefined) {
      close()
      open = { end: new RegExp(`^[\\s>]*\\${ticks[0]}{${ticks.length},}\\s*$`), info }
    } else if (open?.end.test(line) === true) {
      close()
      open = undefined
    } else lines.push(line)
  }
  close()
  return segments
}

const span = /(?<!`)(`+)(?!`)(.*?)(?<!`)\1(?!`)/g

/** Code spans stay as they are where each stands whole on its line, so that no reader can pair other backticks. */
const harmless = (text: string): string => {
  const lines = text.split('\n')
  const rest = lines.map((line) => line.replace(span, ''))
  const isPlain =
    rest.every((line) => !line.includes('`')) &&
    !text.includes('\\`') &&
    // A definition of a link is found before code is.
    !lines.some((line) => [...line.matchAll(span)].some(([code]) => code.includes(']:')))
  if (!isPlain) return lines.map(defuse).join('\n')
  return lines
    .map((line) => {
      let from = 0
      let out = ''
      for (const { index, 0: code } of line.matchAll(span)) {
        out += defuse(line.slice(from, index)) + code
        from = index + code.length
      }
      return out + defuse(line.slice(from))
    })
    .join('\n')
}

const defuse = (text: string): string =>
  text
    .replace(/<(?=[A-Za-z/!?])/g, '&lt;')
    .replaceAll('![', '!&#91;')
    // Only links that lead to the web.
    .replace(/\](?=\s*\((?!\s*(?:https?:\/\/|mailto:|#)))/g, '&#93;')
    // No definition of a link, wherever it stands.
    .replaceAll(']:', '&#93;:')
