import type { GitCredential } from '@berth/contract'
import { type GitTarget, placeOf } from '../git-proxy/git-target.ts'

/** The credential for a repository: of those for its host the one with the longest path that leads to it. Pure. */
export const matchCredential = (
  target: GitTarget,
  credentials: readonly GitCredential[],
): GitCredential | undefined => {
  const place = placeOf(target)
  const path = target.path.slice(1)
  return credentials
    .filter(({ host, path: prefix = '' }) => host === place && leadsTo(encodeURI(prefix), path))
    .toSorted((a, b) => (b.path?.length ?? 0) - (a.path?.length ?? 0))[0]
}

/** By whole parts: `team/app` leads to `team/app` and `team/app.git`, not to `team/apples`. */
const leadsTo = (prefix: string, path: string): boolean => {
  const whole = prefix.replace(/\/$/, '')
  return whole === '' || path === whole || path === `${whole}.git` || path.startsWith(`${whole}/`)
}
