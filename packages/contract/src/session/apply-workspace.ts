import { type DiffStat, noDiff } from '../changes.ts'
import { repositoryName } from '../repository.ts'
import { pendingRepository } from './created.ts'
import { type Appliers, activeAt, withSummary } from './edits.ts'
import type { SessionState } from './state.ts'
import type { SessionSummary } from './summary.ts'

type Shown = SessionSummary['repositories'][number]

/** What changes the workspace: repositories, checkpoints, operations. */
export const workspaceAppliers: Appliers = {
  'repository.added': (state, { data, at, seq }) => ({
    ...withSummary(state, {
      repositories: [...state.summary.repositories, pendingRepository(data.repository)],
    }),
    repositories: [...state.repositories, { ...data.repository, since: seq }],
    activeAt: activeAt(state, at),
  }),
  'repository.removed': (state, { data }) => ({
    ...withSummary(state, {
      repositories: state.summary.repositories.filter(({ name }) => name !== data.name),
      diff: minus(
        state.summary.diff,
        state.summary.repositories.find(({ name }) => name === data.name)?.diff,
      ),
    }),
    repositories: state.repositories.filter(({ url, name }) => (name ?? repositoryName(url)) !== data.name),
  }),
  'repository.retried': (state, { data }) =>
    editRepository(state, data.name, { state: 'pending', message: undefined }),
  'repository.state': (state, { data }) => {
    const { name, state: now, message, branch, sessionBranch, base } = data
    if (now === 'removed') return state
    const known = { branch, sessionBranch, base }
    return editRepository(state, name, {
      state: now,
      message,
      ...(now === 'ready' ? Object.fromEntries(Object.entries(known).filter(([, value]) => value)) : {}),
    })
  },
  // No runner clones any more: the next one begins anew.
  'generation.ended': (state) =>
    withSummary(state, {
      repositories: state.summary.repositories.map((item) =>
        item.state === 'cloning' ? { ...item, state: 'pending' } : item,
      ),
    }),
  'workspace.ready': (state, { data }) => ({
    ...withSummary(state, {
      repositories: state.summary.repositories.map((shown): Shown => {
        const item = data.repositories.find(({ name }) => name === shown.name)
        return item === undefined ? shown : { ...shown, ...item, state: 'ready', message: undefined }
      }),
    }),
    directory: state.directory ?? data.directory,
  }),
  'workspace.snapshot': (state, { data }) => {
    const repositories = state.summary.repositories.map((item) => ({
      ...item,
      diff: data.repositories.find((snapshot) => snapshot.name === item.name)?.total ?? item.diff,
    }))
    // A session without repositories has one snapshot, of the workspace itself.
    const others = data.repositories.filter(({ name }) => !repositories.some((item) => item.name === name))
    const diff = [...repositories.map((item) => item.diff), ...others.map(({ total }) => total)].reduce(
      (sum, item) => ({
        files: sum.files + item.files,
        insertions: sum.insertions + item.insertions,
        deletions: sum.deletions + item.deletions,
      }),
      noDiff,
    )
    return withSummary(state, { repositories, diff })
  },
  'checkpoint.saved': (state, { data, at }) => {
    const { number, turn, manifest, size, files } = data
    // One that an older runner left behind comes too late.
    if (number <= (state.checkpoint?.number ?? 0)) return state
    return {
      ...withSummary(state, { checkpoint: { number, turn, at, size } }),
      checkpoint: { number, turn, manifest, size, files },
    }
  },
  'workspace.restore_requested': (state, { data, at }) => ({
    ...state,
    restore: data.checkpoint,
    activeAt: activeAt(state, at),
  }),
  'repository.pushed': (state, { data, at }) =>
    editRepository(state, data.name, {
      pushed: { branch: data.branch, commit: data.commit, tip: data.tip, at },
    }),
  'git.pushed': (state, { data, at }) =>
    editRepository(state, data.name, {
      pushed: { branch: data.branch, commit: data.commit, tip: data.commit, at },
    }),
  'workspace.restored': (state, { data }) => doneRestoring(state, data.checkpoint),
  'workspace.restore_failed': (state, { data }) => doneRestoring(state, data.checkpoint),
  'operation.requested': (state, { data, at }) => ({
    ...state,
    operations: [...state.operations, data.operation],
    activeAt: activeAt(state, at),
  }),
  'operation.completed': (state, { data }) => closeOperation(state, data.operation),
  'operation.failed': (state, { data }) => closeOperation(state, data.operation),
  'operation.cancelled': (state, { data }) => closeOperation(state, data.operation),
}

const minus = (all: DiffStat, part: DiffStat = noDiff): DiffStat => ({
  files: Math.max(0, all.files - part.files),
  insertions: Math.max(0, all.insertions - part.insertions),
  deletions: Math.max(0, all.deletions - part.deletions),
})

const editRepository = (state: SessionState, name: string, changes: Partial<Shown>): SessionState =>
  withSummary(state, {
    repositories: state.summary.repositories.map((item) =>
      item.name === name ? { ...item, ...changes } : item,
    ),
  })

const doneRestoring = (state: SessionState, checkpoint: number): SessionState =>
  state.restore?.number === checkpoint ? { ...state, restore: undefined } : state

const closeOperation = (state: SessionState, operation: string): SessionState => ({
  ...state,
  operations: state.operations.filter((open) => open !== operation),
})
