import type { Readable } from 'node:stream'

/** What bubblewrap told so far. */
export interface BubblewrapStatus {
  /** The first process inside, by its pid outside. */
  init: number | undefined
  /** Set only when the command really ran. */
  exitCode: number | undefined
}

/** Long before this bubblewrap is done; more is not its protocol. */
const MAX_BYTES = 64 * 1024

/** Folds one line of the protocol into the status; what isn't understood changes nothing. */
export function readStatusLine(status: BubblewrapStatus, line: string): BubblewrapStatus {
  let document: unknown
  try {
    document = JSON.parse(line)
  } catch {
    return status
  }
  if (typeof document !== 'object' || document === null) return status
  const number = (key: string): number | undefined => {
    const value: unknown = Reflect.get(document, key)
    return typeof value === 'number' ? value : undefined
  }
  return {
    init: number('child-pid') ?? status.init,
    exitCode: number('exit-code') ?? status.exitCode,
  }
}

/** Reads the descriptor given as `--json-status-fd`. `ended` resolves when all its writers are gone. */
export function statusChannel(stream: Readable): { current(): BubblewrapStatus; ended: Promise<void> } {
  let status: BubblewrapStatus = { init: undefined, exitCode: undefined }
  let rest = ''
  let bytes = 0
  stream.setEncoding('utf8')
  stream.on('data', (text: string) => {
    bytes += text.length
    if (bytes > MAX_BYTES) return
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) status = readStatusLine(status, line)
  })
  stream.on('error', () => undefined)
  return { current: () => status, ended: new Promise((resolve) => stream.once('close', resolve)) }
}
