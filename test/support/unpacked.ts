import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { type CheckpointManifest, checkpointManifest } from '@berth/contract'
import type { Told } from './told.ts'

/** git’s own objects, and what else is compressed, hide what they hold from a search: here it is opened. */

const env = { PATH: process.env.PATH, GIT_CONFIG_NOSYSTEM: '1', GIT_NO_LAZY_FETCH: '1', HOME: '/nonexistent' }

/** What git says, as bytes; without any configuration that would have it run something. */
const git = async (directory: string, args: string[], input?: Buffer): Promise<Buffer> => {
  const child = spawn('git', ['-c', 'safe.directory=*', '--git-dir', directory, ...args], { env })
  const said = buffer(child.stderr)
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const [output, [code]] = await Promise.all([buffer(child.stdout), once(child, 'close')])
  if (code !== 0) throw new Error(`git ${args[0]} in ${directory} ended with ${code}: ${await said}`)
  return output
}

/** Every object of a repository, whole: loose, packed or a delta, and whether anything leads to it or not. */
const objectsOf = async (directory: string, from = directory): Promise<Told> => {
  const output = await git(directory, [
    'cat-file',
    '--batch-all-objects',
    '--unordered',
    '--buffer',
    '--batch',
  ])
  return { from: `${from}, unpacked`, text: output.toString('latin1') }
}

/** The objects that `fill` puts into a repository of its own. */
const objectsIn = async (from: string, fill: (directory: string) => Promise<unknown>): Promise<Told> => {
  const directory = await mkdtemp(join(tmpdir(), 'berth-unpacked-'))
  try {
    await git(directory, ['init', '--quiet', '--bare', '--template='])
    await fill(directory)
    return await objectsOf(directory, from)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** Of every repository below a directory: clones, shadows, mirrors. */
export const inRepositories = async (directory: string): Promise<Told[]> => {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const places = entries.filter((entry) => entry.isDirectory() && entry.name === 'objects')
  const repositories = places
    .map(({ parentPath }) => parentPath)
    .filter((path) => entries.some((entry) => entry.parentPath === path && entry.name === 'HEAD'))
  return Promise.all(repositories.map((path) => objectsOf(path)))
}

/** Of every checkpoint whose manifest is one of the files: its packs in their order, as only so they can be read. */
export const inCheckpoints = async (files: readonly string[]): Promise<Told[]> => {
  const blobs = new Map(files.map((file) => [basename(file), file]))
  const told: Told[] = []
  for (const file of files) {
    const manifest = await manifestIn(file)
    for (const tree of manifest?.trees ?? [])
      told.push(await objectsIn(`${file}, ${tree.path || 'workspace'}`, (path) => unpack(path, tree, blobs)))
  }
  return told
}

/** Blobs of the agents’ conversations in these checkpoints: files from which they go on, byte by byte. */
export const conversationBlobs = async (files: readonly string[]): Promise<Set<string>> => {
  const manifests = await Promise.all(files.map(manifestIn))
  const kept = manifests.flatMap((manifest) => manifest?.conversation?.files ?? [])
  return new Set(kept.flatMap(({ parts }) => parts.map(({ blob }) => blob)))
}

const manifestIn = async (file: string): Promise<CheckpointManifest | undefined> => {
  const text = await readFile(file, 'utf8').catch(() => '')
  if (!text.startsWith('{"version":1')) return undefined
  try {
    return checkpointManifest.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

const unpack = async (
  directory: string,
  { basePack, packs, shallow = [] }: CheckpointManifest['trees'][number],
  blobs: ReadonlyMap<string, string>,
): Promise<void> => {
  const ends = [...(basePack?.shallow ?? []), ...shallow]
  if (ends.length > 0) await writeFile(join(directory, 'shallow'), `${ends.join('\n')}\n`)
  for (const { parts } of [...(basePack === undefined ? [] : [basePack]), ...packs]) {
    const pieces = await Promise.all(parts.map(({ blob }) => readFile(blobs.get(blob) ?? blob)))
    await git(directory, ['index-pack', '--stdin', '--fix-thin'], Buffer.concat(pieces))
  }
}

/** What is in a file or an answer besides its own bytes; nothing for what is not packed. Bundles go on from `main` of the origin. */
export const inside = async ({ from, text }: Told, origin: string): Promise<Told[]> => {
  const bytes = Buffer.from(text, 'latin1')
  if (text.startsWith('\x1f\x8b')) {
    const content = { from: `${from}, unzipped`, text: (await promisify(gunzip)(bytes)).toString('latin1') }
    return [content, ...(await inside(content, origin))]
  }
  if (!text.startsWith('# v2 git bundle\n') && !text.startsWith('# v3 git bundle\n')) return []
  return [
    await objectsIn(from, async (directory) => {
      const file = join(directory, 'given.bundle')
      await writeFile(file, bytes)
      await git(directory, ['fetch', '--quiet', origin, 'main'])
      await git(directory, ['fetch', '--quiet', file, '+refs/*:refs/*'])
    }),
  ]
}
