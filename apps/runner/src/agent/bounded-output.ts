import type { Readable, Writable } from 'node:stream'

/** Bytes of one line of Claude Code's: more than any request to a model may have. */
const longestLine = 64 * 1024 * 1024
/** Bytes of answers that Claude Code may leave unread while it asks for more; more than any prompt has. */
const longestBacklog = 256 * 1024 * 1024

export interface OutputOptions {
  /** Where the answers go. */
  stdin: Writable
  /** Resolves when more of the output can be kept. */
  room(): Promise<void>
  /** The line is too long for an honest program: it is to be ended. Nothing more is read. */
  onTooLong(): void
  /** Defaults: 64 MB and 256 MB. */
  limits?: { line: number; backlog: number }
}

/**
 * Reads what Claude Code writes no faster than it can be kept, and than it takes the answers to it. Who reads on collects
 * whole lines in memory, so a line has an end here.
 */
export async function* boundedOutput(stream: Readable, options: OutputOptions): AsyncGenerator<Buffer> {
  const { stdin, room, onTooLong, limits = { line: longestLine, backlog: longestBacklog } } = options
  let line = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    const last = chunk.lastIndexOf(0x0a)
    line = last === -1 ? line + chunk.length : chunk.length - last - 1
    if (line > limits.line) return onTooLong()
    await room()
    await taken(stdin, limits.backlog)
    yield chunk
  }
}

const taken = async (stdin: Writable, backlog: number): Promise<void> => {
  while (stdin.writableLength > backlog && !stdin.destroyed)
    await new Promise<void>((resolve) => {
      const go = () => {
        stdin.off('drain', go).off('close', go)
        resolve()
      }
      stdin.on('drain', go).on('close', go)
    })
}
