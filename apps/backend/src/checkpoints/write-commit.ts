import { type Actor, emailOf } from '@berth/contract'
import { type CheckpointGit, mustRun, quickMs } from './checkpoint-git.ts'

export interface NewCommit {
  tree: string
  parents: readonly string[]
  /** Author and committer. */
  owner: Actor
  /** ISO 8601. */
  at: string
  message: string
}

/** Writes a commit as bytes: `git commit` would take name, time and hooks from its surroundings. */
export const writeCommit = async (
  git: CheckpointGit,
  mirror: string,
  { tree, parents, owner, at, message }: NewCommit,
): Promise<string> => {
  const name = (owner.name ?? owner.id).replace(/[\p{Cc}<>]+/gu, ' ').trim() || 'Berth'
  const who = `${name} <${emailOf(owner)}> ${Math.floor(Date.parse(at) / 1000)} +0000`
  const head = [`tree ${tree}`, ...parents.map((parent) => `parent ${parent}`)]
  const text = message.replaceAll('\0', ' ').trim()
  const input = `${[...head, `author ${who}`, `committer ${who}`, '', text].join('\n')}\n`
  const args = ['hash-object', '-t', 'commit', '-w', '--stdin']
  return (await mustRun(git, { mirror, args, input, timeoutMs: quickMs })).trim()
}
