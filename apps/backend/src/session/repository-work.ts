import type { GitState, RepositorySnapshot } from '@berth/contract'

const many = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`

/** What a removal would lose, as git in the workspace tells; undefined: nothing. */
export const workIn = (
  { changed, unpushed = 0, commit }: GitState,
  /** The commit that Berth pushed last from there. */
  pushed: string | undefined,
): string | undefined => {
  const parts = [
    ...(changed > 0 ? [`${many(changed, 'file')} with changes that are not committed`] : []),
    ...(unpushed > 0 && (pushed === undefined || pushed !== commit)
      ? [`${many(unpushed, 'commit')} that were not pushed`]
      : []),
  ]
  return parts.length === 0 ? undefined : parts.join(' and ')
}

/** The same of a session without a runner: its last snapshot can't tell what was pushed, so all work counts. */
export const workInSnapshot = ({ total, commits }: RepositorySnapshot): string | undefined => {
  if (commits === 0 && total.files === 0) return undefined
  return `${many(total.files, 'changed file')} and ${many(commits, 'commit')}, as the last turn left it`
}
