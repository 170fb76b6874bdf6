import { isLocalRepository, limits, repositoryProblem } from '@berth/contract'
import { runTrusted } from '@berth/git'
import { CloneError } from '../git/explain.ts'
import type { CloningOptions } from './mirror-of.ts'

/** A submodule that a commit names, with the commit that it pins. */
export interface Submodule {
  name: string
  path: string
  url: string
  commit: string
}

/** What a commit of a mirror says about its submodules. */
export interface SubmoduleOwner {
  /** The mirror that has the commit. */
  mirror: string
  commit: string
  /** Where it was cloned from: relative addresses count from there. */
  url: string
}

const fileLimit = 1024 * 1024
const quickMs = 60_000

/** Reads the submodules of a commit. The file is the repository's: only what is plain and in order counts. */
export const readSubmodules = async (
  { surroundings }: Pick<CloningOptions, 'surroundings'>,
  { mirror, commit, url }: SubmoduleOwner,
): Promise<Submodule[]> => {
  const git = (...args: string[]) =>
    runTrusted(surroundings, { mirror, args, timeoutMs: quickMs, outputLimit: fileLimit })
  const listed = await git('config', '-z', '--blob', `${commit}:.gitmodules`, '--get-regexp', '^submodule[.]')
  if (!listed.ok) return []
  const named = [...parseModules(listed.stdout)].slice(0, limits.submodules + 1)
  if (named.length === 0) return []
  const tree = await git('ls-tree', '-z', commit, '--', ...named.map(([, { path }]) => path))
  const pins = new Map(
    tree.stdout.split('\0').flatMap((line) => {
      const match = /^160000 commit ([0-9a-f]{40,64})\t([\s\S]+)$/.exec(line)
      return match?.[1] !== undefined && match[2] !== undefined ? [[match[2], match[1]] as const] : []
    }),
  )
  return named.flatMap(([name, { path, url: written }]) => {
    const pin = pins.get(path)
    return pin === undefined ? [] : [{ name, path, commit: pin, url: resolveUrl(url, written) }]
  })
}

/** The submodules in git's own listing of `.gitmodules`, as far as they have a path and an address that are fit. */
export const parseModules = (text: string): Map<string, { path: string; url: string }> => {
  const found = new Map<string, { path?: string; url?: string }>()
  for (const entry of text.split('\0')) {
    const [, name = '', key = '', value = ''] =
      /^submodule\.([\s\S]+)\.(path|url)\n([\s\S]*)$/.exec(entry) ?? []
    if (name !== '') found.set(name, { ...found.get(name), [key]: value })
  }
  return new Map(
    [...found].flatMap(([name, { path = '', url = '' }]) =>
      isFitPath(path) && isFitName(name) && url !== '' ? [[name, { path, url }] as const] : [],
    ),
  )
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
const control = /[\x00-\x1f\x7f]/

const isFitName = (name: string): boolean => name.length <= 200 && !control.test(name) && !name.includes('..')

const isFitPath = (path: string): boolean =>
  path.length <= 1000 &&
  !control.test(path) &&
  !path.startsWith('-') &&
  !path.startsWith('/') &&
  path.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && !/^\.git$/i.test(part))

/** The address of a submodule as seen from its owner. Throws a CloneError for one that may not be used. */
export const resolveUrl = (owner: string, written: string): string => {
  const url = /^\.\.?\//.test(written) ? relative(owner, written) : written
  const problem = repositoryProblem(url)
  if (problem !== undefined)
    throw new CloneError(
      `A submodule of ${owner} can’t be cloned: its address ${written.slice(0, 200)} ${problem}.`,
    )
  // Otherwise a remote repository could have the private ones of this machine brought to the agent.
  if (isLocalRepository(url) && !isLocalRepository(owner))
    throw new CloneError(
      `A submodule of ${owner} can’t be cloned: it names a path on this machine, which only a local repository may.`,
    )
  return url
}

const relative = (owner: string, written: string): string => {
  let base = owner.replace(/\/+$/, '')
  let rest = written
  while (/^\.\.?\//.test(rest)) {
    if (rest.startsWith('../')) base = base.replace(/[/:][^/:]*$/, '')
    rest = rest.replace(/^\.\.?\/+/, '')
  }
  return `${base}/${rest}`
}
