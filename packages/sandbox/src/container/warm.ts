import { open } from 'node:fs/promises'

const CHUNK_BYTES = 1024 ** 2

/** Reads files from beginning to end, so that the kernel has them in memory when they are started. What can't be read is left. */
export async function warm(files: readonly string[]): Promise<void> {
  const buffer = Buffer.alloc(CHUNK_BYTES)
  for (const path of files) {
    const file = await open(path).catch(() => undefined)
    if (file === undefined) continue
    try {
      while ((await file.read(buffer, 0, CHUNK_BYTES, null)).bytesRead > 0);
    } catch {
      // A directory, or a disk that fails.
    } finally {
      await file.close()
    }
  }
}
