import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** Pids come again, so a name also says when its process began. */
const own = `${process.pid}-${Math.round(performance.timeOrigin)}`

/**
 * A directory below `parent` for this process alone; what processes that are gone left beside it is removed. `parent` belongs to
 * one machine: of another one's processes nobody here knows whether they live.
 */
export const processDirectory = async (parent: string): Promise<string> => {
  await mkdir(parent, { recursive: true, mode: 0o700 })
  for (const name of await readdir(parent))
    if (!isInUse(name)) await rm(join(parent, name), { recursive: true, force: true })
  return join(parent, own)
}

const isInUse = (name: string): boolean => {
  const pid = Number(/^(\d+)-\d+$/.exec(name)?.[1] ?? Number.NaN)
  if (Number.isNaN(pid)) return false
  if (pid === process.pid) return name === own
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
