import { BerthError } from '@berth/contract'
import {
  type GitSurroundings,
  lastLine,
  runRemote,
  runTrusted,
  startTrusted,
  type TrustedGit,
  type TrustedProcess,
  type TrustedResult,
} from '@berth/git'

/** git on repositories that hold checkpoints: bare ones, made by Berth from packs that nobody trusts. */
export interface CheckpointGit {
  /** Without anything of the operator's. Never rejects. */
  run(options: TrustedGit): Promise<TrustedResult>
  start(options: TrustedGit): TrustedProcess
  /** With the operator's credentials, to talk to an origin. Never rejects. */
  remote(url: string, options: TrustedGit): Promise<TrustedResult>
}

export const createCheckpointGit = (surroundings: GitSurroundings): CheckpointGit => {
  const alone: GitSurroundings = {
    path: surroundings.path,
    home: undefined,
    inherited: { GIT_CONFIG_GLOBAL: '/dev/null' },
  }
  return {
    run: (options) => runTrusted(alone, options),
    start: (options) => startTrusted(alone, options),
    remote: (url, options) => runRemote(surroundings, url, options),
  }
}

/** Time for a command that reads or writes a few objects. */
export const quickMs = 60_000
/** Time for one that reads or writes all of them. */
export const longMs = 900_000

export const unreadable = (why: string) =>
  new BerthError(
    'checkpoint_unreadable',
    `The checkpoint can’t be read: ${why}. Take a later one, or an earlier turn.`.slice(0, 3000),
  )

/** The output of a command that has to succeed on a good checkpoint. */
export const mustRun = async (git: CheckpointGit, options: TrustedGit): Promise<string> => {
  const result = await git.run(options)
  if (result.ok) return result.stdout
  if (/No space left on device/i.test(result.stderr))
    throw new BerthError('storage_full', 'The disk is full. Make room, then try again.')
  throw unreadable(result.timedOut ? 'git took too long' : `git says: ${lastLine(result.stderr)}`)
}
