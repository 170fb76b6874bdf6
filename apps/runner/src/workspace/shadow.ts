import { sessionBranch } from '@berth/contract'
import { lastLine } from '@berth/git'
import type { Sandbox } from '@berth/sandbox'
import { runBoxed } from '../git/boxed.ts'
import type { Layout } from '../layout.ts'
import { parseSections } from './diff-output.ts'
import { shadowProblems, shadowScript, snapshotLimits } from './shadow-script.ts'
import type { TrackedRepository } from './state.ts'

export interface ShadowOptions {
  repository: TrackedRepository
  session: string
  /** Number of the state; names its ref. */
  turn: number
  layout: Layout
  sandbox: Sandbox
}

/** What the script printed, or why there is nothing. */
export type ShadowResult = { ok: true; sections: Map<string, Buffer> } | { ok: false; problem: string }

const outputLimit =
  2 * snapshotLimits.patch + 2 * snapshotLimits.list + 2 * snapshotLimits.contents + 1024 * 1024

/** Saves a repository's files as a commit under `refs/berth/turn/`, in a sandbox. Never rejects. */
export const saveShadow = async (options: ShadowOptions): Promise<ShadowResult> => {
  const { repository, layout, sandbox, session, turn } = options
  const { inside, outside } = layout
  const whole = repository.url === ''
  const work = whole ? inside.workspace : `${inside.workspace}/${repository.name}`
  const git = whole ? `${inside.shadow}/workspace.git` : `${work}/.git`
  const index = `${inside.shadow}/${repository.name}.index`
  const { base = '', shadow = '' } = repository
  const { exit, stdout, stderr, overflow } = await runBoxed(sandbox, {
    script: shadowScript,
    args: [work, git, index, base, shadow, `refs/berth/turn/${turn}`, sessionBranch(session)],
    mounts: [
      { path: outside.workspace, mode: 'rw', target: inside.workspace },
      { path: outside.shadow, mode: 'rw', target: inside.shadow },
    ],
    cwd: inside.workspace,
    temporary: inside.temporary,
    timeoutMs: snapshotLimits.timeMs,
    outputLimit,
  })
  if (exit.reason === 'time-limit')
    return failed(`it took longer than ${snapshotLimits.timeMs / 1000} seconds`)
  if (overflow) return failed('git printed more than there can be')
  if (exit.code !== 0) return failed(shadowProblems[exit.code ?? 0] ?? (lastLine(stderr) || exit.message))
  const sections = parseSections(stdout)
  return sections === undefined ? failed('git’s output could not be read') : { ok: true, sections }
}

const failed = (problem: string): ShadowResult => ({ ok: false, problem })
