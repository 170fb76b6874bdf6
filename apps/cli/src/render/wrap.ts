import { stripVTControlCharacters } from 'node:util'
import { textWidth } from '../terminal/width.ts'

/** Breaks text into lines at spaces, piece by piece. A word is kept back until its end is known. */
export interface Wrap {
  push(text: string): string
  /** What was kept back. The next text starts a line. */
  end(): string
}

/** A first word after which the lines of a paragraph are indented: the sign of a list's item. */
const bullet = /^(?:[-*+•✻›?!✓✗■±→]|\d+[.)])$/u

/** Code and tables are left as they are; a word wider than the line is left to the terminal. */
export const createWrap = (columns: () => number, indent = 0): Wrap => {
  let line = startOfLine()
  let isCode = false

  const flush = (): string => {
    const { word, space } = line
    if (word === '') return ''
    const size = textWidth(word)
    if (line.column === 0) {
      const isFence = word.startsWith('```')
      if (isFence) isCode = !isCode
      const lead = textWidth(space)
      line.whole = isCode || isFence || word.startsWith('|')
      const isBullet = bullet.test(stripVTControlCharacters(word))
      line.indent = Math.max(indent, lead + (isBullet ? size + 1 : 0))
    }
    const wide = line.column + textWidth(space) + size
    const breaks = !line.whole && wide > columns() && line.column > line.indent && size < columns()
    line.column = breaks ? line.indent + size : wide
    line.word = ''
    line.space = ''
    return breaks ? `\n${' '.repeat(line.indent)}${word}` : space + word
  }
  const push = (text: string): string => {
    let out = ''
    for (const [part] of text.matchAll(/\n|[ \t]+|[^ \t\n]+/g)) {
      if (part === '\n') {
        out += `${flush()}\n`
        line = startOfLine()
      } else if (part.trim() === '') {
        out += flush()
        line.space += part
      } else line.word += part
    }
    return out
  }
  return {
    push,
    end: () => {
      const rest = flush()
      line = startOfLine()
      isCode = false
      return rest
    },
  }
}

const startOfLine = () => ({ column: 0, indent: 0, word: '', space: '', whole: false })

/** The same for a text that is there as a whole; lines after a break are indented by `indent` at least. */
export const wrap = (text: string, columns: number, indent = 0): string => {
  const wrapper = createWrap(() => columns, indent)
  return wrapper.push(text) + wrapper.end()
}
