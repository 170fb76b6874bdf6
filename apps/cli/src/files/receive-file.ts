import { randomUUID } from 'node:crypto'
import { lstat, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Bytes } from '@berth/client'
import type { Context } from '../context.ts'
import { ExitError } from '../exit-code.ts'
import { safeLine, safeText } from '../terminal/safe-text.ts'
import { progressOn } from './progress.ts'
import { retrying } from './retrying.ts'

/** Opens the content, from a byte on if it is still the same. */
export type OpenContent = (headers: Record<string, string>) => Promise<Bytes>

/** Where bytes go. `restart` forgets what was written, where that is possible. */
interface Target {
  write(bytes: Uint8Array): Promise<void>
  restart?(): Promise<void>
}

/** Reads a content to its end; where it breaks off, it goes on from there as long as it is the same. */
const receive = async (
  context: Context,
  what: string,
  { content, target }: { content: OpenContent; target: Target },
) => {
  const progress = progressOn(context, `Getting ${safeLine(what)}:`)
  let received = 0
  let known: string | undefined
  try {
    await retrying(async () => {
      const again: Record<string, string> =
        received > 0 && known !== undefined ? { range: `bytes=${received}-`, 'if-range': known } : {}
      const { stream, etag, size, partial } = await content(again)
      if (received > 0 && partial !== true) {
        if (target.restart === undefined)
          throw new ExitError('refused', `${safeLine(what)} changed while it was read.`)
        await target.restart()
        received = 0
      }
      known = etag
      const all = size === undefined ? undefined : received + size
      for await (const chunk of stream) {
        await target.write(chunk)
        received += chunk.length
        progress.at(received, all)
      }
      return true
    })
  } finally {
    progress.end()
  }
  return received
}

/** Writes a content to standard output: as it is, or, on a terminal, without what would drive it. */
export const receiveToOutput = async (
  context: Context,
  what: string,
  content: OpenContent,
): Promise<void> => {
  const { out } = context
  const decoder = new TextDecoder()
  const write = async (bytes: Uint8Array) => {
    if (out.isTty) out.write(safeText(decoder.decode(bytes, { stream: true })))
    else out.bytes(bytes)
    await out.drained()
  }
  await receive(context, what, { content, target: { write } })
}

/** Writes a content to a file of this machine, which is there as a whole or not at all. Gives its size. */
export const receiveToFile = async (
  context: Context,
  what: string,
  { content, file, force }: { content: OpenContent; file: string; force: boolean },
): Promise<number> => {
  const exists = await lstat(file).then(
    () => true,
    () => false,
  )
  if (exists && !force) throw new ExitError('refused', `${safeLine(file)} exists. Replace it with --force.`)
  const part = join(dirname(file), `.${basename(file)}.${randomUUID().slice(0, 8)}`)
  const handle = await open(part, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    throw new ExitError('usage', `${safeLine(file)} can’t be written: ${error.code ?? error.message}.`)
  })
  try {
    const write = async (bytes: Uint8Array) => {
      await handle.writeFile(bytes)
    }
    const size = await receive(context, what, {
      content,
      target: { write, restart: () => handle.truncate(0) },
    })
    await handle.chmod(0o666 & ~process.umask())
    await rename(part, file)
    return size
  } finally {
    await handle.close()
    await rm(part, { force: true })
  }
}
