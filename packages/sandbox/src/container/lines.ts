import type { Socket } from 'node:net'

/** Reads the lines of a connection. */
export interface Lines {
  /** Stops reading. What came after the last line is dropped. */
  stop(): void
}

/** Hands each line to `take`; a line that is too long closes the connection. */
export function readLines(
  socket: Socket,
  { longest, take }: { longest: () => number; take: (line: string) => void },
): Lines {
  let kept: Buffer[] = []
  let length = 0
  let stopped = false
  const onData = (chunk: Buffer): void => {
    let from = 0
    for (let at = chunk.indexOf(0x0a); at !== -1 && !stopped; at = chunk.indexOf(0x0a, from)) {
      const line = Buffer.concat([...kept, chunk.subarray(from, at)])
      kept = []
      length = 0
      from = at + 1
      if (line.length > longest()) return void socket.destroy()
      take(line.toString('utf8'))
    }
    if (stopped) return
    const rest = chunk.subarray(from)
    kept.push(rest)
    length += rest.length
    if (length > longest()) socket.destroy()
  }
  socket.on('data', onData)
  return {
    stop() {
      stopped = true
      socket.off('data', onData)
      socket.pause()
    },
  }
}
