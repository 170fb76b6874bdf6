import { type GitSurroundings, runTrusted, type TrustedGit, type TrustedResult } from './trusted.ts'

/** Says under which settings of git a remote may be asked, or why not, in words that fit after "can’t be cloned: ". */
export type RemoteGuard = (url: string) => Promise<{ config: [string, string][] } | { problem: string }>

/** Runs a command that talks to a remote, as far as the surroundings allow it. Never rejects. */
export const runRemote = async (
  surroundings: GitSurroundings,
  url: string,
  options: TrustedGit,
): Promise<TrustedResult> => {
  const judged = await surroundings.guard?.(url)
  if (judged === undefined) return runTrusted(surroundings, options)
  if ('config' in judged) return runTrusted({ ...surroundings, config: judged.config }, options)
  return { ok: false, stdout: '', stderr: `remote: berth: ${judged.problem}\n`, timedOut: false }
}
