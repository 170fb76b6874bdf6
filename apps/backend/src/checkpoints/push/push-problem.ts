import { BerthError } from '@berth/contract'
import { gitProblem, lastLine } from '@berth/git'

const behind =
  /non-fast-forward|fetch first|stale info|cannot lock ref|reference already exists|but expected/i
const refused = /\[remote rejected\]|protected branch|hook declined|deny|GH\d{3}|shallow update/i

export const notFastForward = (branch: string) =>
  new BerthError(
    'push_rejected',
    `The branch ${branch} at the origin has commits that this session lacks, so they would be lost. ` +
      'Have the agent merge them, push to another branch, or force the push if they may go.',
  )

/** What went wrong with a push, from what git printed. */
export const pushProblem = (
  branch: string,
  url: string,
  { stdout = '', stderr, timedOut }: { stdout?: string; stderr: string; timedOut: boolean },
): BerthError => {
  const said = `${stdout}\n${stderr}`
  if (behind.test(said)) return notFastForward(branch)
  if (refused.test(said)) {
    const reason = /^!.*\[(?:remote )?rejected\] \((.+)\)$/m.exec(stdout)?.[1] ?? lastLine(stderr)
    return new BerthError(
      'push_rejected',
      `The origin ${url} refuses the branch ${branch}: ${clean(reason)}. Push to another branch, or change its rules.`,
    )
  }
  return pushFailed(url, gitProblem({ stderr, timedOut }))
}

export const pushFailed = (url: string, why: string) =>
  new BerthError('push_failed', `The push to ${url} failed: ${why}`.slice(0, 3500))

const clean = (text: string) => text.replace(/[\p{Cc}]+/gu, ' ').slice(0, 500)
