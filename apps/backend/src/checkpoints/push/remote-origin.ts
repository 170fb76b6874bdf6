import { type CheckpointGit, longMs, quickMs } from '../checkpoint-git.ts'
import type { Origin } from './origin.ts'
import { pushFailed, pushProblem } from './push-problem.ts'

/** An origin behind https, http, ssh or git; with the credentials of whoever `git` asks for. */
export const remoteOrigin = (git: Pick<CheckpointGit, 'remote'>, url: string): Origin => ({
  async look(branch) {
    const ref = `refs/heads/${branch}`
    const args = ['ls-remote', '--symref', '--', url, 'HEAD', ref]
    const listed = await git.remote(url, { args, timeoutMs: quickMs })
    if (!listed.ok) throw pushProblem(branch, url, { stderr: listed.stderr, timedOut: listed.timedOut })
    const line = listed.stdout.split('\n').find((text) => text.endsWith(`\t${ref}`))
    const head = /^ref: refs\/heads\/(\S+)\tHEAD$/m.exec(listed.stdout)?.[1]
    return { commit: line?.split('\t')[0], head, checkedOut: false }
  },
  async fetch({ repository, branch }) {
    const spec = `+refs/heads/${branch}:refs/berth/seen`
    const args = ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--', url, spec]
    const fetched = await git.remote(url, { mirror: repository, args, timeoutMs: longMs })
    if (!fetched.ok) throw pushProblem(branch, url, { stderr: fetched.stderr, timedOut: fetched.timedOut })
  },
  async send({ repository, branch, commit, previous, force }) {
    const ref = `refs/heads/${branch}`
    // With a lease also when nothing is forced: the branch has to be where it was seen.
    const lease = `--force-with-lease=${ref}:${previous ?? ''}`
    const alone = ['--no-verify', '--no-follow-tags', '--no-signed', '--recurse-submodules=no']
    const spec = `${force ? '+' : ''}${commit}:${ref}`
    const args = ['push', '--porcelain', ...alone, ...(force ? [lease] : []), '--', url, spec]
    const pushed = await git.remote(url, { mirror: repository, args, timeoutMs: longMs })
    if (pushed.ok) return
    if (pushed.timedOut) throw pushFailed(url, 'it took too long. Try again.')
    throw pushProblem(branch, url, pushed)
  },
})
