import { randomBytes } from 'node:crypto'
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

export interface LockOptions {
  /** How long to wait for others, in ms. */
  timeoutMs: number
  signal?: AbortSignal
}

/** The process that holds a lock: its id, and its start in the kernel's clock, as ids are used again. */
const identify = async (pid: number): Promise<string | undefined> => {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    return `${pid} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`
  } catch {
    return isAlive(pid) ? `${pid} -` : undefined
  }
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/**
 * Runs a task while no other process of this machine holds the lock file. A lock whose process is gone is taken over.
 * Rejects when the lock could not be had in time.
 */
export const withLock = async <T>(path: string, options: LockOptions, task: () => Promise<T>): Promise<T> => {
  const mine = `${await identify(process.pid)} ${randomBytes(6).toString('hex')}`
  const own = `${path}.${randomBytes(6).toString('hex')}`
  await writeFile(own, mine, { mode: 0o600 })
  try {
    await acquire(path, own, options)
  } finally {
    await rm(own, { force: true })
  }
  try {
    return await task()
  } finally {
    await rm(path, { force: true })
  }
}

const acquire = async (path: string, own: string, { timeoutMs, signal }: LockOptions): Promise<void> => {
  const deadline = Date.now() + timeoutMs
  for (let delay = 5; ; delay = Math.min(delay * 2, 200)) {
    // A hard link appears with its content: nobody can find the lock empty.
    if (await link(own, path).then(() => true, exists)) return
    await removeStale(path, own)
    if (Date.now() > deadline) throw new Error(`${path} is held by another process for ${timeoutMs} ms`)
    await sleep(delay, undefined, signal === undefined ? {} : { signal })
  }
}

const exists = (error: unknown): false => {
  if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
  throw error
}

const removeStale = async (path: string, own: string): Promise<void> => {
  const holder = await readFile(path, 'utf8').catch(() => undefined)
  if (holder === undefined) return
  const [pid, start] = holder.split(' ')
  if ((await identify(Number(pid))) === `${pid} ${start}`) return
  const aside = `${own}.stale`
  const moved = await rename(path, aside).then(
    () => true,
    () => false,
  )
  if (!moved) return
  // Another process may have been faster: what was moved then is its new lock, and it goes back.
  if ((await readFile(aside, 'utf8').catch(() => holder)) !== holder)
    await link(aside, path).catch(() => undefined)
  await rm(aside, { force: true })
}
