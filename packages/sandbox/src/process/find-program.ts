import { accessSync, constants, statSync } from 'node:fs'
import { join } from 'node:path'

/** The first executable file of that name in a colon-separated list of directories. */
export function findProgram(name: string, path: string): string | undefined {
  const candidates = path
    .split(':')
    .filter((directory) => directory.startsWith('/'))
    .map((directory) => join(directory, name))
  return candidates.find(isExecutable)
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
