import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/**
 * Deletes a directory that a hostile program has filled. `rm` walks by descriptors: paths may be longer than the
 * system's limit, and links are not followed. Directories without rights are opened up first, where need be.
 */
export const removeTree = async (path: string): Promise<void> => {
  try {
    await run('rm', ['-rf', '--', path])
  } catch {
    await run('chmod', ['-R', 'u+rwx', '--', path]).catch(() => undefined)
    await run('rm', ['-rf', '--', path])
  }
}
