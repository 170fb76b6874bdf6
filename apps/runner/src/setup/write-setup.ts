import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { emptyDirectory } from './empty-directory.ts'

/**
 * Makes a directory hold exactly these files. Only while no agent lives that it is shown to; inside it is read-only, so
 * nothing in it is a trap.
 */
export const writeSetup = async (directory: string, files: Record<string, string>): Promise<void> => {
  await emptyDirectory(directory)
  for (const [path, text] of Object.entries(files)) {
    const place = join(directory, path)
    await mkdir(dirname(place), { recursive: true, mode: 0o770 })
    await writeFile(place, text, { mode: 0o660 })
  }
}
