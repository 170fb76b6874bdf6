/** A shell command, taken apart as far as permission rules need it. */
export interface BashCommand {
  /** The simple commands between `&&`, `||`, `;`, `|`, `&`. */
  parts: string[]
  /**
   * Nothing in it can hide another command or write a file: no substitution, redirection, grouping, line break or open
   * quote.
   */
  plain: boolean
}

interface Scan {
  parts: string[]
  current: string
  plain: boolean
}

const endPart = (scan: Scan) => {
  const part = scan.current.trim()
  if (part !== '') scan.parts.push(part)
  scan.current = ''
}

/** The end of the quoted text that begins at `start`, or -1 when it is not closed. */
const quoteEnd = (text: string, start: number): number => {
  const quote = text.charAt(start)
  for (let i = start + 1; i < text.length; i++) {
    if (quote === '"' && text.charAt(i) === '\\') i++
    else if (text.charAt(i) === quote) return i
  }
  return -1
}

const takeQuoted = (scan: Scan, text: string, start: number): number => {
  const end = quoteEnd(text, start)
  const quoted = end < 0 ? text.slice(start) : text.slice(start, end + 1)
  if (end < 0 || (quoted.startsWith('"') && /\$\(|`/.test(quoted))) scan.plain = false
  if (quoted.includes('\n')) scan.plain = false
  scan.current += quoted
  return start + quoted.length
}

/** Takes a command apart. Quotes and backslashes are understood; what is doubtful is not `plain`. */
export const readBashCommand = (text: string): BashCommand => {
  const scan: Scan = { parts: [], current: '', plain: true }
  for (let i = 0; i < text.length; ) {
    const char = text.charAt(i)
    if (char === "'" || char === '"') {
      // Bash's `$'…'` ends elsewhere than it seems to: a backslash may hide its quote.
      if (scan.current.endsWith('$')) scan.plain = false
      i = takeQuoted(scan, text, i)
      continue
    }
    if (char === '\\') {
      if (text.charAt(i + 1) === '\n') scan.plain = false
      scan.current += text.slice(i, i + 2)
      i += 2
      continue
    }
    if (/[;|&\n\r]/.test(char)) {
      if (/[\n\r]/.test(char)) scan.plain = false
      endPart(scan)
    } else {
      if (/[<>`(){}]/.test(char)) scan.plain = false
      scan.current += char
    }
    i++
  }
  endPart(scan)
  return { parts: scan.parts, plain: scan.plain }
}

const wrapper =
  /^(?:(?:sudo|env|nohup|time|command|exec|builtin|xargs|nice|stdbuf|timeout\s+\S+)(?:\s+-\S+)*\s+)/
const assignment = /^[A-Za-z_]\w*=(?:"[^"]*"|'[^']*'|\S*)\s+/

/** A command without what is put in front of it: `FOO=1`, `sudo`, `timeout 5` … */
const unwrapped = (part: string): string => {
  let rest = part
  for (let before = ''; before !== rest; ) {
    before = rest
    rest = rest.replace(assignment, '').replace(wrapper, '')
  }
  return rest
}

/**
 * Every command that the text could run, generously: also what stands inside substitutions, groups and behind wrappers
 * such as `sudo`. For rules that forbid or ask; too many is better than too few.
 */
export const everyCommand = (text: string): string[] => {
  // Where a quote ends is doubtful behind `$'`: then every separator counts.
  const separators = text.includes("$'") ? /\$\(|[`(){}\n\r;|&]|[<>]\(/ : /\$\(|[`(){}\n\r]|[<>]\(/
  const pieces = text.split(separators)
  const parts = [text, ...pieces].flatMap((piece) => readBashCommand(piece).parts)
  return [...new Set(parts.flatMap((part) => [part, unwrapped(part)]))]
}
