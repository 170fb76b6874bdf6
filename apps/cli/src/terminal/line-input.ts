import { clearScreenDown, createInterface, cursorTo, moveCursor } from 'node:readline'
import { Writable } from 'node:stream'
import { textWidth } from './width.ts'

/** The line at the bottom of the terminal on which a person types prompts. */
export interface LineInput {
  /** Shows the line and what was typed so far; only where the cursor is at the beginning of a line. */
  show(): void
  /** Takes the line off the screen, so that something can be written. What was typed is kept. */
  hide(): void
  onLine(listener: (text: string) => void): void
  /** Ctrl-C. */
  onInterrupt(listener: () => void): void
  /** Ctrl-D, or the end of the input. */
  onEnd(listener: () => void): void
  close(): void
}

/** Line editing by Node's readline, with an echo that can be turned off while the agent speaks. */
export const openLineInput = (input: NodeJS.ReadStream, output: NodeJS.WriteStream): LineInput => {
  let visible = false
  let closing = false
  const echo = new Writable({
    write: (chunk, _, done) => {
      if (visible) output.write(chunk)
      done()
    },
  })
  Object.defineProperty(echo, 'columns', { get: () => output.columns })
  const lines = createInterface({ input, output: echo, terminal: true, prompt: '› ' })
  return {
    show: () => {
      if (visible) return
      visible = true
      lines.prompt(true)
    },
    hide: () => {
      if (!visible) return
      moveCursor(output, 0, -lines.getCursorPos().rows)
      cursorTo(output, 0)
      clearScreenDown(output)
      visible = false
    },
    onLine: (listener) =>
      void lines.on('line', (text) => {
        if (visible) eraseEntered(output, text)
        visible = false
        listener(text)
      }),
    onInterrupt: (listener) => void lines.on('SIGINT', listener),
    onEnd: (listener) => void lines.on('close', () => closing || listener()),
    close: () => {
      closing = true
      lines.close()
    },
  }
}

/** Takes an entered line off the screen: it comes back as an event of the log. */
const eraseEntered = (output: NodeJS.WriteStream, text: string) => {
  const rows = Math.floor((2 + textWidth(text)) / Math.max(1, output.columns)) + 1
  moveCursor(output, 0, -rows)
  cursorTo(output, 0)
  clearScreenDown(output)
}
