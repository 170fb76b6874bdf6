import type { RepositorySnapshot } from '@berth/contract'

const many = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`

/** What a removal would lose of a session without a runner: its last snapshot can't tell what was pushed, so all work counts. */
export const workInSnapshot = ({ total, commits }: RepositorySnapshot): string | undefined => {
  if (commits === 0 && total.files === 0) return undefined
  return `${many(total.files, 'changed file')} and ${many(commits, 'commit')}, as the last turn left it`
}
