import { stripVTControlCharacters } from 'node:util'

/** Collects what is to be written, and knows whether the cursor stands at the beginning of a line. */
export interface LiveText {
  /** Text that goes on where the last ended. */
  raw(text: string): void
  /** Whole lines, on lines of their own. */
  line(text: string): void
  /** Goes to the beginning of a line, unless it stands there. */
  fresh(): void
  /** An empty line, unless there is one. */
  gap(): void
  take(): string
  atLineStart(): boolean
}

export const createLiveText = (): LiveText => {
  let buffer = ''
  let tail = '\n\n'
  const raw = (text: string) => {
    buffer += text
    // Styles don't move the cursor, so the last characters are looked at without them.
    tail = (tail + stripVTControlCharacters(text)).slice(-2)
  }
  const fresh = () => {
    if (!tail.endsWith('\n')) raw('\n')
  }
  return {
    raw,
    fresh,
    line: (text) => {
      fresh()
      raw(`${text}\n`)
    },
    gap: () => {
      fresh()
      if (tail !== '\n\n') raw('\n')
    },
    take: () => {
      const taken = buffer
      buffer = ''
      return taken
    },
    atLineStart: () => tail.endsWith('\n'),
  }
}
