import { createStyle, type Style, wantsColour } from './style.ts'

/** Where a command writes to. */
export interface Output {
  write(text: string): void
  line(text?: string): void
  /** Bytes as they are: never to a terminal. */
  bytes(chunk: Uint8Array): void
  /** Resolves when a slow reader has taken enough that more may be written. */
  drained(): Promise<void>
  /** Width in columns; asked anew each time, because a window changes. */
  columns(): number
  isTty: boolean
  style: Style
}

interface Stream {
  write(chunk: string | Uint8Array): unknown
  writableNeedDrain?: boolean
  once?(event: 'drain', listener: () => void): unknown
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
    bytes: (chunk) => void stream.write(chunk),
    line: (text = '') => void stream.write(`${text}\n`),
    drained: () =>
      new Promise((resolve) => {
        if (stream.writableNeedDrain !== true) return resolve()
        stream.once?.('drain', resolve)
      }),
    columns: () => (isTty ? stream.columns : Number(env.COLUMNS) || undefined) || defaultColumns,
    isTty,
    style: createStyle(wantsColour(env, isTty)),
  }
}
