import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { runBoxed } from '@berth/git'
import type { Sandbox } from '@berth/sandbox'
import type { Layout } from '../layout.ts'

/** Where trees lie that git, or the agent, writes. */
export interface TreeBox {
  layout: Layout
  sandbox: Sandbox
}

type Place = 'workspace' | 'clones' | 'shadow'

const timeoutMs = 300_000

/**
 * Does something with a tree as the user who writes it: in a pod that is another one than the runner's, and may have made
 * the tree its own.
 */
const inBox = async (
  { layout, sandbox }: TreeBox,
  place: Place,
  { script, names }: { script: string; names: readonly string[] },
): Promise<void> => {
  const { inside, outside } = layout
  const { exit, stderr } = await runBoxed(sandbox, {
    script: `set -eu\ncd -- "$1"\nshift\n${script}`,
    args: [inside[place], ...names],
    mounts: [{ path: outside[place], mode: 'rw', target: inside[place] }],
    cwd: inside[place],
    temporary: inside.temporary,
    timeoutMs,
    outputLimit: 1024,
  })
  if (exit.code !== 0) throw new Error(`${stderr.trim().slice(0, 500) || exit.message}`)
}

/** Makes the directory of a tree. */
export const makeTree = async (box: TreeBox, place: Place, name: string): Promise<void> => {
  const { container, outside } = box.layout
  if (container) await inBox(box, place, { script: 'mkdir -- "$1"', names: [name] })
  else await mkdir(join(outside[place], name), { mode: 0o700 })
}

/** Removes trees, whatever they are; those that are not there are no error. */
export const removeTrees = async (box: TreeBox, place: Place, names: readonly string[]): Promise<void> => {
  const { container, outside } = box.layout
  if (names.length === 0) return
  const script =
    'for name; do [ -L "$name" ] || chmod -R u+rwX -- "$name" 2>/dev/null || true; done; rm -rf -- "$@"'
  if (container) return inBox(box, place, { script, names: names.map((name) => `./${name}`) })
  await Promise.all(names.map((name) => rm(join(outside[place], name), { recursive: true, force: true })))
}

/** Removes everything in a place, which stays. */
export const emptyPlace = async (box: TreeBox, place: Place): Promise<void> => {
  const { container, outside } = box.layout
  const script = 'chmod -R u+rwX . 2>/dev/null || true; find . -mindepth 1 -maxdepth 1 -exec rm -rf -- {} +'
  if (container) return inBox(box, place, { script, names: [] })
  const all = (await namesIn(outside[place])).map((name) => pathOf(outside[place], name))
  await Promise.all(all.map((path) => rm(path, { recursive: true, force: true })))
}

/** Moves everything in one directory to another of the same file system, under its name, whatever that is. */
export const moveAll = async (from: string, to: string): Promise<void> => {
  for (const name of await namesIn(from)) await rename(pathOf(from, name), pathOf(to, name))
}

/** Names are bytes, not always of UTF-8. */
const namesIn = (directory: string): Promise<Buffer[]> => readdir(directory, { encoding: 'buffer' })
const pathOf = (directory: string, name: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${directory}/`), name])

/** Lets the runner move a tree: for that it must be able to write in it. Nothing is followed. */
export const letMove = async (box: TreeBox, place: Place, name: string): Promise<void> => {
  const script = '[ -L "$1" ] || [ ! -d "$1" ] || [ ! -O "$1" ] || chmod ug+rwx -- "$1"'
  if (box.layout.container) await inBox(box, place, { script, names: [`./${name}`] })
}
