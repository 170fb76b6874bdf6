import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Runs `use` with one descriptor per content, readable from its start and no longer in any directory; they
 * are closed afterwards. A child that is spawned in `use` keeps its own.
 */
export function withUnlinkedFiles<T>(
  contents: readonly (string | Uint8Array)[],
  use: (fds: number[]) => T,
): T {
  const directory = mkdtempSync(join(tmpdir(), 'berth-'))
  const fds: number[] = []
  try {
    for (const [index, content] of contents.entries()) {
      const path = join(directory, String(index))
      writeFileSync(path, content, { mode: 0o600 })
      fds.push(openSync(path, 'r'))
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    return use(fds)
  } finally {
    for (const fd of fds) closeSync(fd)
  }
}
