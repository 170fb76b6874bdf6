import { z } from 'zod'
import { limits } from './limits.ts'

/** Why a branch name is refused, or undefined. The rules of `git check-ref-format`, and no leading dash. */
export const branchProblem = (name: string): string | undefined => {
  if (name.length === 0 || name.length > limits.branch) return `expected 1 to ${limits.branch} characters`
  if (name.startsWith('-')) return 'must not start with a dash'
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (/[\x00-\x20\x7f~^:?*[\\]/.test(name))
    return 'must not contain spaces, control characters or any of ~^:?*[\\'
  if (name === '@' || name.includes('@{') || name.includes('..')) return 'must not contain .. or @{'
  if (name.endsWith('.')) return 'must not end with a dot'
  for (const part of name.split('/'))
    if (part === '' || part.startsWith('.') || part.endsWith('.lock'))
      return 'no part may be empty, start with a dot or end with .lock'
  return undefined
}

/**
 * Why a repository location is refused, or undefined. Allowed: https, http, ssh and git URLs, the scp form
 * `user@host:path`, `file://` URLs and absolute local paths (which roots are allowed is the backend's rule).
 * Transport helpers (`ext::…`), options and credentials inside the URL are refused.
 */
export const repositoryProblem = (url: string): string | undefined => {
  if (url.length === 0 || url.length > limits.url) return `expected 1 to ${limits.url} characters`
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (/[\x00-\x1f\x7f]/.test(url)) return 'must not contain control characters'
  if (url.startsWith('-')) return 'must not start with a dash'
  if (url.startsWith('/')) return pathProblem(url)
  if (/^[A-Za-z0-9+.-]+::/.test(url)) return 'transport helpers such as ext:: are not allowed'
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(url)?.[1]?.toLowerCase()
  if (scheme === undefined) return scpProblem(url)
  if (scheme === 'file')
    return url.startsWith('file:///') ? pathProblem(url.slice(7)) : 'expected file:///path'
  if (!['https', 'http', 'ssh', 'git'].includes(scheme)) return `the scheme ${scheme}:// is not allowed`
  return urlProblem(url)
}

const pathProblem = (path: string): string | undefined =>
  path.split('/').includes('..') ? 'must not contain ..' : undefined

const scpProblem = (url: string): string | undefined =>
  /^[A-Za-z0-9_][A-Za-z0-9._-]*@[A-Za-z0-9][A-Za-z0-9.-]*:[^-:\s][^\s]*$/.test(url)
    ? undefined
    : 'expected a URL (https://…, ssh://…), user@host:path or an absolute path'

const urlProblem = (url: string): string | undefined => {
  // Here parsers of URLs disagree about the host: git must go where the checks looked.
  if (/[\s\\]/.test(url)) return 'must not contain spaces or backslashes'
  if (/^[^:]+:\/\/(\/|$)/.test(url)) return 'needs a host name'
  let parsed: URL
  try {
    parsed = new URL(url)
  } catch {
    return 'is not a valid URL'
  }
  if (parsed.password !== '') return 'must not contain a password: credentials never stand in a URL'
  if (parsed.hostname === '' || parsed.hostname.startsWith('-')) return 'needs a host name'
  return parsed.username.startsWith('-') ? 'the user name must not start with a dash' : undefined
}

/** Whether a location is on the machine itself: a path, or a `file:` URL. */
export const isLocalRepository = (url: string): boolean => url.startsWith('/') || /^file:/i.test(url)

/** A directory name for a repository location: its last part without `.git`, made safe. */
export const repositoryName = (url: string): string => {
  const last =
    url
      .replace(/[/\\]+$/, '')
      .split(/[/\\:]/)
      .at(-1) ?? ''
  const safe = last
    .replace(/\.git$/, '')
    .replace(/[^A-Za-z0-9._-]/g, '-')
    .replace(/^[.-]+/, '')
    .slice(0, 100)
  return safe === '' ? 'repository' : safe
}

const checked = (problem: (text: string) => string | undefined) =>
  z.string().superRefine((text, context) => {
    const message = problem(text)
    if (message !== undefined) context.addIssue({ code: 'custom', message })
  })

export const branchName = checked(branchProblem)
export const repositoryUrl = checked(repositoryProblem)

/** The name of a repository's directory in the workspace. */
export const directoryName = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/, 'expected letters, digits, dots, dashes, underscores')

/** A repository that a session works on. */
export const repository = z.object({
  /** URL or absolute local path. */
  url: repositoryUrl,
  /** Branch to start from. Default: the remote's default branch. */
  branch: branchName.optional(),
  /** Directory in the workspace. Default: the last part of the URL. */
  name: directoryName.optional(),
  /** Commits of history to take. Default: all. */
  depth: z.number().int().min(1).max(1_000_000).optional(),
  /** Leave the contents of old files at the origin: smaller, but what is left out can't be read inside. Default: false. */
  partial: z.boolean().optional(),
  /** Also clone submodules. Default: false. */
  submodules: z.boolean().optional(),
})

export type Repository = z.infer<typeof repository>

export const repositories = z
  .array(repository)
  .max(limits.repositories)
  .superRefine((list, context) => {
    const names = list.map((item) => item.name ?? repositoryName(item.url))
    for (const [index, name] of names.entries())
      if (names.indexOf(name) !== index)
        context.addIssue({
          code: 'custom',
          path: [index, 'name'],
          message: `another repository is named ${name}`,
        })
  })

/** A repository that a session should have. */
export const wantedRepository = repository.extend({
  /** The event that added it; missing: it was there from the beginning. Tells it from an earlier one of its name. */
  since: z.number().int().positive().optional(),
})

export type WantedRepository = z.infer<typeof wantedRepository>

/** The branch on which the agent of a session works. */
export const sessionBranch = (session: string): string => `berth/${session}`
