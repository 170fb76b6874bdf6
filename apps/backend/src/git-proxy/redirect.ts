import { BerthError } from '@berth/contract'
import { type GitRights, type GitService, judgeAccess } from './git-policy.ts'
import type { GitAnswer } from './git-proxy.ts'
import { type GitTarget, targetOf } from './git-target.ts'

interface Asked {
  target: GitTarget
  service: GitService
  rights: GitRights
  isCall: boolean
}

/**
 * What to do when a git server sends elsewhere. git may follow to another path on the same host (as from `lib` to `lib.git`)
 * when the session may use what is there, and goes on with that address; everything else is told. Throws a BerthError.
 */
export const judgeRedirect = (
  location: string | string[] | undefined,
  { target, service, rights, isCall }: Asked,
): GitAnswer => {
  const to = nextOf(target, location, service)
  if (to === undefined || isCall)
    throw new BerthError(
      'git_failed',
      `The git server of ${target.url} sends to an address that is none of git’s.`,
    )
  const isSame = to.scheme === target.scheme && to.host === target.host && to.port === target.port
  if (!isSame)
    throw new BerthError(
      'git_refused',
      `${target.url} has moved to another host, which is not followed. Use ${to.url} in its place.`,
    )
  const verdict = judgeAccess(to, service, rights)
  if (!verdict.allowed)
    throw new BerthError(
      'git_refused',
      `${target.url} has moved to ${to.url}. Use that address in its place.`,
    )
  const port = to.url.includes(`:${to.port}/`) ? `:${to.port}` : ''
  const place = `${to.scheme}/${to.host}${port}${to.path}`
  return {
    status: 307,
    headers: { location: `/runner/git/${place}/info/refs?service=${service}` },
    body: Buffer.alloc(0),
  }
}

/** The repository behind an address that a server sends to. */
const nextOf = (
  { url }: GitTarget,
  location: string | string[] | undefined,
  service: GitService,
): GitTarget | undefined => {
  const suffix = `/info/refs?service=${service}`
  if (typeof location !== 'string' || !URL.canParse(location, `${url}/info/refs`)) return undefined
  const { href } = new URL(location, `${url}/info/refs`)
  return href.endsWith(suffix) ? targetOf(href.slice(0, -suffix.length)) : undefined
}
