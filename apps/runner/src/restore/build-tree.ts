import { type Actor, type BlobRef, type CheckpointTree, emailOf } from '@berth/contract'
import { collect, lastLine, runBoxed, startBoxed } from '@berth/git'
import type { Sandbox, SandboxMount } from '@berth/sandbox'
import type { Layout } from '../layout.ts'
import { placesOf } from '../workspace/tree-place.ts'
import {
  checkOutScript,
  makeShadowScript,
  makeTreeScript,
  readPackScript,
  setRefsScript,
} from './build-script.ts'
import { type BlobSource, fetchBasePart, fetchBlob } from './fetch-blob.ts'
import { RestoreError } from './restore-error.ts'

/** Where trees are written. */
export interface BuildSite {
  mounts: SandboxMount[]
  /** Inside; made when it is missing. */
  root: string
  /** A directory inside that is there. */
  cwd: string
}

export interface BuildOptions {
  tree: CheckpointTree
  /** Names in it that are trees of their own. */
  without: readonly string[]
  /** What git sees, and where in it the workspace is being built. */
  site: BuildSite
  owner: Actor
  source: BlobSource
  layout: Layout
  sandbox: Sandbox
}

const timeoutMs = 3_600_000

/** Builds one tree of a checkpoint: history, branches, index, files. Rejects with RestoreError. */
export const buildTree = async (options: BuildOptions): Promise<void> => {
  const { tree, site, layout, owner } = options
  const work = tree.path === '' ? site.root : `${site.root}/${tree.path}`
  const { shadow } = placesOf(layout, tree.path)
  const repository = tree.refs !== undefined
  const format = tree.shadow.length === 64 ? 'sha256' : 'sha1'
  const below = tree.path === '' ? '' : `/${tree.path}`
  const kind = repository ? 'yes' : 'no'
  await run(options, { script: makeTreeScript, args: [site.root, below, kind, format] })
  await run(options, { script: makeShadowScript, args: [work, shadow, ...options.without] })
  await readPacks(options, repository ? `${work}/.git` : shadow)
  if (tree.refs !== undefined) {
    const lines = [
      ...(tree.shallow ?? []).map((commit) => `shallow ${commit}`),
      ...Object.entries(tree.refs).map(([ref, commit]) => `ref ${ref} ${commit}`),
    ]
    const identity = [owner.name ?? owner.id, emailOf(owner)]
    const args = [work, tree.head ?? '', tree.url ?? '', ...identity]
    await run(options, { script: setRefsScript, args, stdin: `${lines.join('\n')}\n` })
  }
  const args = [work, shadow, tree.shadow, ...options.without]
  const stdin = tree.emptyDirectories.map((path) => `${path}\0`).join('')
  await run(options, { script: checkOutScript, args, stdin })
}

type PackOptions = StepOptions & Pick<BuildOptions, 'source'>

/** Reads all packs of a tree into a repository. */
export const readPacks = async (options: PackOptions, gitDirectory: string): Promise<void> => {
  const { tree, source } = options
  if (tree.basePack !== undefined) {
    const { key } = tree.basePack
    // Noted first, so that it is not removed meanwhile.
    const { parts } = await source.home.useBase(key, { signal: source.signal })
    if (parts === undefined)
      throw new RestoreError(`the pack of commit ${tree.basePack.commit} is gone from the blob store`)
    await readPack(options, gitDirectory, { parts, fetch: (part) => fetchBasePart(source, key, part) })
  }
  for (const { parts } of tree.packs.toSorted((a, b) => a.number - b.number))
    await readPack(options, gitDirectory, { parts, fetch: (part) => fetchBlob(source, part) })
}

interface Pack {
  parts: readonly BlobRef[]
  fetch(part: BlobRef): Promise<Buffer>
}

const readPack = async (
  options: PackOptions,
  gitDirectory: string,
  { parts, fetch }: Pack,
): Promise<void> => {
  const process = startBoxed(options.sandbox, {
    ...box(options),
    script: readPackScript,
    args: [gitDirectory],
    timeoutMs,
  })
  const { stdin } = process
  stdin.on('error', () => undefined)
  process.stdout.resume()
  const said = collect(process.stderr, 16 * 1024, () => undefined)
  try {
    for (const part of parts) if (!stdin.write(await fetch(part))) await drained(stdin, process.exited)
    stdin.end()
  } catch (error) {
    process.kill('SIGKILL')
    await process.exited
    throw error
  }
  const exit = await process.exited
  if (exit.code !== 0)
    throw new RestoreError(
      `git refused a pack of it: ${lastLine((await said).toString('utf8')) || exit.message}`,
    )
}

const drained = (stdin: NodeJS.WritableStream, ended: Promise<unknown>): Promise<void> =>
  new Promise((resolve) => {
    stdin.once('drain', resolve)
    void ended.then(() => resolve())
  })

const box = ({ site, layout }: Pick<BuildOptions, 'site' | 'layout'>) => ({
  mounts: site.mounts,
  cwd: site.cwd,
  temporary: layout.inside.temporary,
})

/** What a step of a restore needs. */
export type StepOptions = Pick<BuildOptions, 'tree' | 'site' | 'layout' | 'sandbox'>

/** A script with its arguments. */
export interface Step {
  script: string
  args: string[]
  stdin?: string
}

/** Runs a step in the sandbox. Rejects with RestoreError. */
export const run = async (options: StepOptions, step: Step): Promise<void> => {
  const command = { ...box(options), ...step, timeoutMs, outputLimit: 64 * 1024 }
  const { exit, stderr } = await runBoxed(options.sandbox, command)
  if (exit.code === 0) return
  const name = options.tree.path || 'the workspace'
  throw new RestoreError(`the files of ${name} could not be written: ${lastLine(stderr) || exit.message}`)
}
