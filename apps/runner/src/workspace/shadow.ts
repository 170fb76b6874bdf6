import { type EffectiveSettings, sessionBranch } from '@berth/contract'
import { lastLine, runBoxed } from '@berth/git'
import type { Sandbox, SandboxMount } from '@berth/sandbox'
import type { Layout } from '../layout.ts'
import { parseSections } from './diff-output.ts'
import { goneCode, shadowProblems, shadowScript, snapshotLimits } from './shadow-script.ts'
import { placesOf, type TreePlace } from './tree-place.ts'

/** Files and bytes that a tree may have. */
export interface TreeLimits {
  files: number
  bytes: number
}

export const workspaceLimits = ({
  checkpointFiles,
  checkpointMiB,
}: Pick<EffectiveSettings, 'checkpointFiles' | 'checkpointMiB'>): TreeLimits => ({
  files: checkpointFiles,
  bytes: checkpointMiB * 1024 ** 2,
})

export interface ShadowOptions {
  tree: TreePlace
  session: string
  /** What to compare with; missing: nothing is compared. */
  compare?: { base: string | undefined; last: string | undefined }
  /** Ref of the shadow that keeps the state. */
  ref: string
  limits: TreeLimits
  layout: Layout
  sandbox: Sandbox
}

/** What the script printed, or why there is nothing. */
export type ShadowResult =
  | { ok: true; sections: Map<string, Buffer> }
  | { ok: false; problem: string; gone?: boolean }

const outputLimit =
  2 * snapshotLimits.patch + 2 * snapshotLimits.list + 2 * snapshotLimits.contents + 8 * 1024 * 1024

/** Saves a tree's files as a commit in its shadow, in a sandbox. Never rejects. */
export const saveShadow = async (options: ShadowOptions): Promise<ShadowResult> => {
  const { tree, layout, sandbox, session, compare, ref, limits } = options
  const { work, shadow } = placesOf(layout, tree.path)
  const args = [
    ...[work, shadow, compare?.base ?? '', compare?.last ?? '', ref, sessionBranch(session)],
    ...[String(limits.files), String(limits.bytes), compare === undefined ? 'no' : 'yes', ...tree.without],
  ]
  const { exit, stdout, stderr, overflow } = await runBoxed(sandbox, {
    script: shadowScript,
    args,
    mounts: workspaceMounts(layout),
    cwd: layout.inside.workspace,
    temporary: layout.inside.temporary,
    timeoutMs: snapshotLimits.timeMs,
    outputLimit,
  })
  if (exit.reason === 'time-limit')
    return failed(`it took longer than ${snapshotLimits.timeMs / 1000} seconds`)
  if (overflow) return failed('git printed more than there can be')
  if (exit.code !== 0) {
    const problem = shadowProblems[exit.code ?? 0] ?? (lastLine(stderr) || exit.message)
    return { ok: false, problem, gone: exit.code === goneCode }
  }
  const sections = parseSections(stdout)
  return sections === undefined ? failed('git’s output could not be read') : { ok: true, sections }
}

/** What git sees that works on the trees of a session. */
export const workspaceMounts = ({ outside, inside }: Layout): SandboxMount[] => [
  { path: outside.workspace, mode: 'rw', target: inside.workspace },
  { path: outside.shadow, mode: 'rw', target: inside.shadow },
]

const failed = (problem: string): ShadowResult => ({ ok: false, problem })
