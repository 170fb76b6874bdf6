import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { CheckpointTree } from '@berth/contract'
import { strictness } from '@berth/git'
import type { BlobStore } from '../blobs/port.ts'
import { type CheckpointGit, longMs, mustRun, quickMs, unreadable } from './checkpoint-git.ts'
import { type BlobScopes, readParts } from './read-blobs.ts'

export const unpackLimits = {
  /** Bytes of all packs of one tree. */
  bytes: 8 * 1024 ** 3,
  /** Objects in one pack. */
  objects: 20_000_000,
  /** Memory of git while it reads a pack. */
  memoryBytes: 2 * 1024 ** 3,
} as const

export interface Unpack {
  git: CheckpointGit
  blobs: BlobStore
  scopes: BlobScopes
  limits?: typeof unpackLimits | Record<keyof typeof unpackLimits, number>
}

/**
 * Makes a bare repository with the objects of one tree of a checkpoint, and no refs. The packs come from the agent's side:
 * git checks each object and that nothing is missing, under limits of bytes, objects, time and memory.
 */
export const unpackTree = async (
  { git, blobs, scopes, limits = unpackLimits }: Unpack,
  tree: CheckpointTree,
  path: string,
): Promise<void> => {
  const packs = [...(tree.basePack === undefined ? [] : [tree.basePack]), ...tree.packs]
  const sizes = packs.map(({ parts }) => parts.reduce((sum, { size }) => sum + size, 0))
  const total = sizes.reduce((sum, size) => sum + size, 0)
  if (total > limits.bytes)
    throw unreadable(`its packs have ${total} bytes; at most ${limits.bytes} are taken`)
  const format = tree.shadow.length === 64 ? 'sha256' : 'sha1'
  const init = ['init', '--quiet', '--bare', '--template=', `--object-format=${format}`, path]
  await mustRun(git, { args: init, timeoutMs: quickMs })
  const shallow = new Set([...(tree.basePack?.shallow ?? []), ...(tree.shallow ?? [])])
  if (shallow.size > 0) await writeFile(join(path, 'shallow'), `${[...shallow].join('\n')}\n`)
  for (const [index, { parts }] of packs.entries()) {
    const input = Readable.from(checked(readParts(blobs, scopes, parts), limits.objects))
    await indexPack(git, { path, input, size: sizes[index] ?? 0, memoryLimit: limits.memoryBytes })
  }
  await mustRun(git, {
    mirror: path,
    args: ['cat-file', '-e', `${tree.shadow}^{tree}`],
    timeoutMs: quickMs,
  })
}

/**
 * What git refuses because it could mislead a checkout, which nobody makes here: files of such names are still to be read.
 * Who gets them by a push or a bundle checks again.
 */
const readable = ['hasDotgit', 'gitmodulesSymlink', 'gitmodulesUrl', 'gitmodulesPath', 'gitmodulesName']
  .concat('gitmodulesParse', 'gitmodulesMissing', 'gitmodulesBlob', 'gitmodulesUpdate')
  .map((name) => `${name}=ignore`)
  .join(',')

const indexPack = async (
  git: CheckpointGit,
  { path, input, size, memoryLimit }: { path: string; input: Readable; size: number; memoryLimit: number },
) => {
  const failed = new Promise<never>((_, reject) => input.once('error', reject))
  const settings = ['-c', 'pack.threads=1', '-c', 'core.bigFileThreshold=32m']
  const options = ['--stdin', '--fix-thin', `--max-input-size=${size}`, `--strict=${strictness},${readable}`]
  const args = [...settings, 'index-pack', ...options]
  const indexed = mustRun(git, { mirror: path, args, input, memoryLimit, timeoutMs: longMs })
  // What was wrong with the bytes says more than git's complaint that they ended.
  await Promise.race([failed, indexed]).finally(() => indexed.catch(() => undefined))
}

const header = 12

/** The pack as it is, once its header says that git can be given it. */
async function* checked(pack: AsyncIterable<Buffer>, objects: number) {
  let start: Buffer | undefined = Buffer.alloc(0)
  for await (const chunk of pack) {
    if (start === undefined) {
      yield chunk
      continue
    }
    start = Buffer.concat([start, chunk])
    if (start.length < header) continue
    if (start.toString('latin1', 0, 4) !== 'PACK') throw unreadable('a pack does not begin as one')
    const count = start.readUInt32BE(8)
    if (count > objects) throw unreadable(`a pack has ${count} objects; at most ${objects} are taken`)
    yield start
    start = undefined
  }
  if (start !== undefined) throw unreadable('a pack is cut off')
}
