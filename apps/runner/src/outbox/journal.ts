import { type FileHandle, open, rename } from 'node:fs/promises'

/** Lines on disk, in order. */
export interface Journal {
  /** Adds a line; it is on its way to the disk when this returns, and there after `flushed()`. */
  append(line: string): void
  /** Bytes of the file, when all that waits is written. */
  readonly size: number
  /** Writes the file anew with only the lines that must be kept. */
  compact(): void
  /** Resolves when everything appended so far is on disk, or the disk refused it. Never rejects. */
  flushed(): Promise<void>
  /** Writes the rest and closes the file. */
  close(): Promise<void>
}

export interface JournalOptions {
  path: string
  /** All lines that must be kept, those that wait to be written among them. */
  kept(): readonly string[]
  /** The disk refuses: told once per series of failures. The lines stay in memory and are tried again. */
  onFailure(error: Error): void
  /** Wait after a failure, in ms. Default 1000. */
  retryMs?: number
}

/** Opens a journal for appending. Writes are batched: one write and one sync for all lines that wait. */
export const openJournal = async (options: JournalOptions): Promise<Journal> => {
  const { path, retryMs = 1000 } = options
  let file = await open(path, 'a', 0o600)
  let size = (await file.stat()).size
  let waiting: string[] = []
  let anew = false
  let failing = false
  let closing = false
  let work: Promise<void> | undefined

  const write = async (lines: readonly string[]) => {
    await writeAll(file, lines)
  }
  const rewrite = async () => {
    const next = await replaceFile(path, options.kept())
    await file.close().catch(() => undefined)
    file = next.file
    size = next.size + lengthOf(waiting)
  }
  const fail = async (error: unknown) => {
    if (!failing) options.onFailure(error instanceof Error ? error : new Error(String(error)))
    failing = true
    // A part of a line may stand in the file now: only a new file is whole again.
    anew = true
    if (!closing) await new Promise((resolve) => setTimeout(resolve, retryMs))
  }
  const step = async () => {
    const lines = waiting
    const whole = anew
    waiting = []
    anew = false
    try {
      await (whole ? rewrite() : write(lines))
      failing = false
    } catch (error) {
      await fail(error)
    }
  }
  const run = async () => {
    while ((waiting.length > 0 || anew) && !(closing && failing)) await step()
    work = undefined
  }
  return {
    append(line) {
      waiting.push(line)
      size += lengthOf([line])
      work ??= run()
    },
    get size() {
      return size
    },
    compact() {
      anew = true
      work ??= run()
    },
    flushed: async () => work,
    async close() {
      if (closing) return
      closing = true
      await work
      await file.close().catch(() => undefined)
    },
  }
}

const lengthOf = (lines: readonly string[]): number =>
  lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0)

const writeAll = async (file: FileHandle, lines: readonly string[]): Promise<number> => {
  if (lines.length === 0) return 0
  const bytes = Buffer.from(`${lines.join('\n')}\n`)
  const { bytesWritten } = await file.write(bytes)
  if (bytesWritten < bytes.length) throw new Error(`only ${bytesWritten} of ${bytes.length} bytes fitted`)
  await file.datasync()
  return bytesWritten
}

/** Writes a new file and puts it in the place of the old one, which stays whole until then. */
const replaceFile = async (
  path: string,
  lines: readonly string[],
): Promise<{ file: FileHandle; size: number }> => {
  const file = await open(`${path}.new`, 'w', 0o600)
  try {
    const size = await writeAll(file, lines)
    await rename(`${path}.new`, path)
    return { file, size }
  } catch (error) {
    await file.close().catch(() => undefined)
    throw error
  }
}
