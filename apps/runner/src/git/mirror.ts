import { createHash, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { branchProblem } from '@berth/contract'
import { type GitSurroundings, runTrusted, type TrustedGit } from '@berth/git'
import { CloneError, explainGit } from './explain.ts'
import { withLock } from './lock.ts'
import { tidyMirror } from './tidy-mirror.ts'

/** A bare copy of a repository, shared by the sessions of one project. Only Berth writes it. */
export interface Mirror {
  path: string
  /** The remote's default branch; undefined when it has none. */
  defaultBranch: string | undefined
  /** Branches with their commits. Empty: the repository has no commits. */
  branches: ReadonlyMap<string, string>
}

/** How a mirror is brought up to date: from a remote, or from a repository on this machine. */
export interface MirrorSource {
  /** Fills the mirror and tells the default branch. Throws a CloneError. */
  update(git: MirrorGit, path: string): Promise<string | undefined>
}

export type MirrorGit = (options: TrustedGit) => ReturnType<typeof runTrusted>

export interface MirrorOptions {
  directory: string
  project: string
  url: string
  /** Tells a mirror that has not everything from the whole one, and from narrower ones. Default: the whole one. */
  narrow?: string
  name: string
  source: MirrorSource
  surroundings: GitSurroundings
  /** How long others may hold the mirror, in ms. Default: 15 minutes. */
  lockMs?: number
}

const quickMs = 60_000

/** Makes the mirror, or brings it up to date. One process at a time works on it. Throws a CloneError. */
export const updateMirror = async (options: MirrorOptions): Promise<Mirror> => {
  const { directory, project, url, name, source, lockMs = 900_000 } = options
  const git: MirrorGit = (command) => runTrusted(options.surroundings, command)
  const path = mirrorPath(
    directory,
    project,
    options.narrow === undefined ? url : `${url}\0${options.narrow}`,
  )
  await mkdir(directory, { recursive: true, mode: 0o700 })
  return withLock(`${path}.lock`, { timeoutMs: lockMs }, async () => {
    await tidyMirror(git, path)
    if (!existsSync(path)) await makeEmpty(git, path, { name, url })
    const defaultBranch = await source.update(git, path)
    if (defaultBranch !== undefined) await setHead(git, path, defaultBranch)
    return { path, defaultBranch, branches: await listBranches(git, path, { name, url }) }
  })
}

/** Where the mirror of a repository lies, if there is one. */
export const mirrorPath = (directory: string, project: string, url: string): string => {
  const key = createHash('sha256').update(`${project}\0${url}`).digest('hex')
  return join(directory, `${key}.git`)
}

const makeEmpty = async (git: MirrorGit, path: string, { name, url }: { name: string; url: string }) => {
  const half = `${path}.${randomBytes(6).toString('hex')}.new`
  const made = await git({ args: ['init', '--quiet', '--bare', '--template=', half], timeoutMs: quickMs })
  if (!made.ok) {
    await rm(half, { recursive: true, force: true })
    throw explainGit(name, url, made)
  }
  await rename(half, path)
}

const setHead = async (git: MirrorGit, path: string, branch: string) => {
  await git({ mirror: path, args: ['symbolic-ref', 'HEAD', `refs/heads/${branch}`], timeoutMs: quickMs })
}

/** All branches of a mirror. */
const listBranches = async (git: MirrorGit, path: string, { name, url }: { name: string; url: string }) => {
  const refs = await listRefs(git, path)
  if (refs === undefined) throw new CloneError(`The mirror of ${name} (${url}) can’t be read.`)
  const heads = [...refs].filter(([ref]) => ref.startsWith('refs/heads/'))
  return new Map(heads.map(([ref, commit]) => [ref.slice('refs/heads/'.length), commit]))
}

/** Branches and tags with what they point at; undefined when git fails. */
export const listRefs = async (git: MirrorGit, path: string): Promise<Map<string, string> | undefined> => {
  const format = '--format=%(objectname) %(refname)'
  const listed = await git({
    mirror: path,
    args: ['for-each-ref', format, 'refs/heads', 'refs/tags'],
    timeoutMs: quickMs,
  })
  return listed.ok ? parseRefs(listed.stdout) : undefined
}

/** Reads lines of `<object> <ref>`; anything else is left out. */
export const parseRefs = (text: string): Map<string, string> => {
  const refs = new Map<string, string>()
  for (const line of text.split('\n')) {
    const match = /^([0-9a-f]{40}|[0-9a-f]{64}) (refs\/(?:heads|tags)\/\S+)$/.exec(line)
    if (match?.[1] !== undefined && match[2] !== undefined) refs.set(match[2], match[1])
  }
  return refs
}

/** A repository behind https, http, ssh or git. */
export const remoteSource = (name: string, url: string, timeoutMs = 900_000): MirrorSource => ({
  async update(git, path) {
    const head = await git({
      mirror: path,
      args: ['ls-remote', '--symref', '--', url, 'HEAD'],
      timeoutMs: quickMs,
    })
    if (!head.ok) throw explainGit(name, url, head)
    const specs = ['+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*']
    const args = ['fetch', '--quiet', '--prune', '--no-tags', '--no-write-fetch-head', '--', url, ...specs]
    const fetched = await git({ mirror: path, args, timeoutMs })
    if (!fetched.ok) throw explainGit(name, url, fetched)
    const branch = /^ref: refs\/heads\/(\S+)\tHEAD$/m.exec(head.stdout)?.[1]
    return branch !== undefined && branchProblem(branch) === undefined ? branch : undefined
  },
})
