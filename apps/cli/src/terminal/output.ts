import { createStyle, type Style, wantsColour } from './style.ts'

/** Where a command writes to. */
export interface Output {
  write(text: string): void
  line(text?: string): void
  /** Width in columns; asked anew each time, because a window changes. */
  columns(): number
  isTty: boolean
  style: Style
}

interface Stream {
  write(text: string): unknown
  columns?: number
  isTTY?: boolean
}

const defaultColumns = 100

/** Output on a stream of Node. A file or pipe gets lines of 100 columns. */
export const outputOn = (stream: Stream, env: NodeJS.ProcessEnv): Output => {
  const isTty = stream.isTTY === true
  return {
    write: (text) => {
      if (text !== '') stream.write(text)
    },
    line: (text = '') => void stream.write(`${text}\n`),
    columns: () => (isTty ? stream.columns : Number(env.COLUMNS) || undefined) || defaultColumns,
    isTty,
    style: createStyle(wantsColour(env, isTty)),
  }
}
