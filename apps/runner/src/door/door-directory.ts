import { lstat, mkdir, mkdtemp, readdir, rm, rmdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Makes the directory of a door's socket; only this user can enter it. Socket paths are short by law of the kernel, so it
 * lies in the temporary directory and not with the session. What killed generations before left there is removed.
 */
export const makeDoorDirectory = async (owner: { session: string; generation: number }): Promise<string> => {
  const prefix = `berth-door-${owner.session.slice(-26)}-`
  const left = (await readdir(tmpdir())).filter(
    (name) => name.startsWith(prefix) && Number(name.slice(prefix.length)) < owner.generation,
  )
  await Promise.all(left.map((name) => removeOld(join(tmpdir(), name)).catch(() => undefined)))
  const wanted = join(tmpdir(), `${prefix}${owner.generation}`)
  return mkdir(wanted, { mode: 0o700 }).then(
    () => wanted,
    () => mkdtemp(join(tmpdir(), 'berth-door-')),
  )
}

/**
 * The temporary directory is everybody's: what is not ours may be a link, or change while it is walked through. So only
 * our own directory is entered, and only what a door makes is removed.
 */
const removeOld = async (path: string): Promise<void> => {
  const stat = await lstat(path)
  const ours = stat.isDirectory() && stat.uid === process.getuid?.() && (stat.mode & 0o022) === 0
  if (!ours) return
  await rm(join(path, 'door.sock'), { force: true })
  await rmdir(path)
}
