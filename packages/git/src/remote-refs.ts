import { branchProblem } from '@berth/contract'
import { runRemote } from './remote.ts'
import type { GitSurroundings, TrustedResult } from './trusted.ts'

/** What a remote says of itself before anything is fetched. */
export interface RemoteRefs {
  /** Its default branch; undefined when it names none, or one that exists nowhere. */
  head: string | undefined
  /** Branches with their commits. */
  branches: ReadonlyMap<string, string>
}

/** Asks a remote for its branches; the second form says why there is no answer. Never rejects. */
export const readRemoteRefs = async (
  surroundings: GitSurroundings,
  url: string,
  timeoutMs = 60_000,
): Promise<({ ok: true } & RemoteRefs) | ({ ok: false } & Pick<TrustedResult, 'stderr' | 'timedOut'>)> => {
  const args = ['ls-remote', '--symref', '--', url, 'HEAD', 'refs/heads/*']
  const { ok, stdout, stderr, timedOut } = await runRemote(surroundings, url, { args, timeoutMs })
  if (!ok) return { ok: false, stderr, timedOut }
  const head = /^ref: refs\/heads\/(\S+)\tHEAD$/m.exec(stdout)?.[1]
  const branches = new Map<string, string>()
  for (const line of stdout.split('\n')) {
    const match = /^([0-9a-f]{40}|[0-9a-f]{64})\trefs\/heads\/(\S+)$/.exec(line)
    const [, commit, branch] = match ?? []
    if (commit !== undefined && branch !== undefined && branchProblem(branch) === undefined)
      branches.set(branch, commit)
  }
  return { ok: true, head: head !== undefined && branches.has(head) ? head : undefined, branches }
}
