import { open, rename } from 'node:fs/promises'

/** Replaces a file; the old content stays whole until the new one is on disk. */
export const writeDurably = async (path: string, content: string | Uint8Array): Promise<void> => {
  const file = await open(`${path}.new`, 'w', 0o600)
  try {
    await file.writeFile(content)
    await file.datasync()
  } finally {
    await file.close()
  }
  await rename(`${path}.new`, path)
}
