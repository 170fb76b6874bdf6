import { gitProblem } from '@berth/git'

/** A repository can't be had. The message is for the person who named it. */
export class CloneError extends Error {
  override readonly name = 'CloneError'
}

/** What went wrong with a repository, from what git printed: in words, with git's own last line. */
export const explainGit = (name: string, url: string, result: { stderr: string; timedOut: boolean }) =>
  new CloneError(`The repository ${name} (${url}) can’t be cloned: ${gitProblem(result)}`.slice(0, 3500))
