import { constants } from 'node:fs'
import { type FileHandle, open, opendir } from 'node:fs/promises'
import { join } from 'node:path'

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_DIRECTORY } = constants
export const directoryFlags = O_RDONLY | O_DIRECTORY

/**
 * Paths are walked by descriptors: each step opens one name in a directory that is held open, so the agent can put no
 * link in the way, before or meanwhile. Without /proc (macOS, where there is no sandbox to leave) by names.
 */
const within = (directory: Held, name: string): string =>
  process.platform === 'linux' ? `/proc/self/fd/${directory.fd}/${name}` : join(directory.path, name)

/** A directory that is held open. */
export interface Held {
  fd: number
  path: string
  stat: FileHandle['stat']
  close(): Promise<void>
}

/** Opens one name; undefined when that fails. Without O_NONBLOCK, a pipe that the agent put there would hold the runner for ever. */
export const openAt = async (directory: Held | undefined, name: string, flags: number) => {
  if (directory === undefined) return undefined
  return open(within(directory, name), flags | O_NOFOLLOW | O_NONBLOCK).then(
    (file) => Object.assign(file, { path: join(directory.path, name) }),
    () => undefined,
  )
}

/** Opens a directory below another by its names. */
export const enter = async (home: string, names: readonly string[]): Promise<Held | undefined> => {
  const start = await open(home, directoryFlags).catch(() => undefined)
  let held: Held | undefined = start === undefined ? undefined : Object.assign(start, { path: home })
  for (const name of names) {
    const next: Held | undefined = await openAt(held, name, directoryFlags)
    await held?.close()
    held = next
  }
  return held
}

/** The first names in a directory; the agent may have made millions. */
export async function* namesIn(directory: Held | undefined, most = 1000) {
  if (directory === undefined) return
  let count = 0
  for await (const { name } of await opendir(within(directory, '.'))) {
    if (count++ >= most) return
    yield name
  }
}
