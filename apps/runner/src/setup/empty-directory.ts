import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Makes an empty directory, or empties the one there. It stays the same directory all the time, because a sandbox may be
 * mounting it (the self-test does, while a workflow is read). Only while no agent lives that it is shown to.
 */
export const emptyDirectory = async (directory: string): Promise<void> => {
  await mkdir(directory, { recursive: true, mode: 0o770 })
  const names = await readdir(directory)
  await Promise.all(names.map((name) => rm(join(directory, name), { recursive: true, force: true })))
}
