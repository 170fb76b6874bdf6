import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunnerClient } from '@berth/client'
import type { BlobRef, CheckpointTree } from '@berth/contract'
import { type GitSurroundings, startTrusted } from '@berth/git'
import { mirrorPath } from '../git/mirror.ts'
import { createBlobSink, patiently, storeParts } from './upload.ts'

export type BasePack = NonNullable<CheckpointTree['basePack']>

export interface BasePacksOptions {
  home: Pick<RunnerClient, 'useBase' | 'putBasePart' | 'completeBase'>
  mirrorDirectory: string
  project: string
  surroundings: GitSurroundings
  mostBytes: number
  signal: AbortSignal
  onProblem(error: unknown): void
}

/** Packs of what sessions start from, shared by all sessions of the project. */
export interface BasePacks {
  /**
   * The pack of a commit of a repository; made from the mirror, which no agent has touched, when the project does not have
   * it. Undefined: the mirror doesn't have the commit, or not whole.
   */
  ensure(url: string, commit: string): Promise<BasePack | undefined>
}

const timeoutMs = 3_600_000

export const createBasePacks = (options: BasePacksOptions): BasePacks => ({
  async ensure(url, commit) {
    const { home, mirrorDirectory, project } = options
    const mirror = mirrorPath(mirrorDirectory, project, url)
    const shallow = await shallowCommits(mirror)
    const key = baseKeyOf(commit, shallow)
    const { parts: known } = await patiently(options, (signal) => home.useBase(key, { signal }))
    const base = (parts: BlobRef[]) => ({
      key,
      commit,
      parts,
      ...(shallow.length === 0 ? {} : { shallow }),
    })
    if (known !== undefined) return base(known)
    const made = await packMirror(options, { mirror, commit, key })
    if (made === undefined || made.length === 0) return undefined
    const { parts } = await patiently(options, (signal) =>
      home.completeBase(key, { parts: made }, { signal }),
    )
    return base(parts ?? made)
  },
})

const shallowCommits = async (mirror: string): Promise<string[]> => {
  const text = await readFile(join(mirror, 'shallow'), 'utf8').catch(() => '')
  return text.split('\n').filter((line) => /^[0-9a-f]{40,64}$/.test(line))
}

const baseKeyOf = (commit: string, shallow: readonly string[]): string =>
  shallow.length === 0
    ? commit
    : `${commit}-${createHash('sha256').update(shallow.join('\n')).digest('hex').slice(0, 16)}`

const packMirror = async (
  { home, surroundings, mostBytes, signal, onProblem }: BasePacksOptions,
  { mirror, commit, key }: { mirror: string; commit: string; key: string },
): Promise<BlobRef[] | undefined> => {
  const sink = createBlobSink({
    put: (blob, bytes, call) => home.putBasePart({ base: key, blob }, bytes, call),
    signal,
    onProblem,
  })
  const { stdout, ended, kill } = startTrusted(surroundings, {
    mirror,
    args: ['pack-objects', '--revs', '--stdout', '-q', '--delta-base-offset', '--threads=1'],
    timeoutMs,
    input: `${commit}\n`,
  })
  const parts = await storeParts(stdout, sink, mostBytes).catch((error) => {
    kill()
    throw error
  })
  const { ok, stderr } = await ended
  if (ok) return parts
  onProblem(new Error(`the base pack of ${commit} could not be made: ${stderr.slice(0, 500)}`))
  return undefined
}
