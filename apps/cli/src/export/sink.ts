import { lstat, open, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { ExitError } from '../exit-code.ts'
import type { Output } from '../terminal/output.ts'
import { safeLine } from '../terminal/safe-text.ts'

/** Where an export goes. Waits for a slow reader or disk, so that a long log never fills the memory. */
export type Write = (text: string) => Promise<void>

/** Lets `produce` write to the output, or to a file that is there as a whole or not at all. */
export const writeTo = async (
  { file, out, force }: { file: string | undefined; out: Output; force: boolean },
  produce: (write: Write) => Promise<void>,
): Promise<void> => {
  if (file === undefined)
    return produce(async (text) => {
      out.write(text)
      await out.drained()
    })
  const target = resolve(file)
  const part = join(dirname(target), `.${process.pid}-${crypto.randomUUID()}.part`)
  if (!force) await refuseExisting(target)
  const handle = await open(part, 'wx', 0o600).catch((error) => fail(file, error))
  try {
    await produce((text) => handle.appendFile(text))
    await handle.close()
    await rename(part, target)
  } catch (error) {
    await handle.close().catch(() => undefined)
    await rm(part, { force: true })
    throw isSystemError(error) ? fail(file, error) : error
  }
}

const refuseExisting = async (target: string): Promise<void> => {
  const there = await lstat(target).catch(() => undefined)
  if (there !== undefined)
    throw new ExitError(
      'refused',
      `${safeLine(target)} exists. Choose another name, or add --force to replace it.`,
    )
}

const isSystemError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && 'syscall' in error

const reasons: Partial<Record<string, string>> = {
  ENOENT: 'its directory does not exist',
  EACCES: 'it may not be written here',
  EROFS: 'the file system is read-only',
  EISDIR: 'it is a directory',
  ENOTDIR: 'its directory is a file',
  ENOSPC: 'the disk is full',
}

const fail = (file: string, error: NodeJS.ErrnoException): never => {
  const reason = reasons[error.code ?? ''] ?? error.message
  throw new ExitError('refused', `${safeLine(file)} can’t be written: ${reason}. Nothing was kept.`)
}
