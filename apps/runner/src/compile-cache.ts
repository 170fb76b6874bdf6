import { mkdtempSync, readdirSync, symlinkSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Most of a start is compiling, so what was compiled is used again: what the image brings, or what earlier runners left in
 * the operator's directory, never in one that others can write. `NODE_COMPILE_CACHE` is Node's own affair.
 */
export const useCompileCache = ({
  BERTH_COMPILED: shipped,
  BERTH_MIRROR_DIR: mirrors,
  NODE_COMPILE_CACHE: chosen,
}: Record<string, string | undefined>): void => {
  if (chosen !== undefined) return
  const directory = shipped !== undefined ? borrow(shipped) : mirrors && join(mirrors, 'compiled')
  if (directory) enableCompileCache(directory)
}

/**
 * Node keeps a directory for each user, whose number ends its name, and the user of a session is none that the image could
 * know: a link leads from its name to what the image has.
 */
export const borrow = (shipped: string, uid = process.getuid?.() ?? 0): string | undefined => {
  try {
    const own = mkdtempSync(join(tmpdir(), 'compiled-'))
    for (const name of readdirSync(shipped))
      symlinkSync(join(shipped, name), join(own, name.replace(/-\d+$/, `-${uid}`)))
    return own
  } catch {
    // A start without it is a little slower.
    return undefined
  }
}
