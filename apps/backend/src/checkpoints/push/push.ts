import {
  type Actor,
  BerthError,
  type EventData,
  type EventOf,
  isBerthError,
  isLocalRepository,
  type PushBody,
  type PushResult,
  type SessionState,
  sessionBranch,
} from '@berth/contract'
import type { Sandbox } from '@berth/sandbox'
import type { GitRemote } from '../../git-credentials/git-access.ts'
import type { SessionService } from '../../session/service.ts'
import type { AuditDraft } from '../../store/audit-store.ts'
import type { Idempotency, Store } from '../../store/port.ts'
import type { CheckpointGit } from '../checkpoint-git.ts'
import { findRef, readCheckpoint, treeOf } from '../find-checkpoint.ts'
import { type Unpacking, withTree } from '../open-checkpoint.ts'
import { makeScratch } from '../scratch.ts'
import { comesAfter, type Work, type WorkPlace, workOf, workOnTop } from '../work.ts'
import { localOrigin } from './local-origin.ts'
import type { Origin } from './origin.ts'
import { notFastForward, pushFailed } from './push-problem.ts'
import { remoteOrigin } from './remote-origin.ts'

export interface PushParts {
  store: Store
  service: SessionService
  unpacking: Unpacking
  sandbox: Sandbox
  /** Directories that local origins must lie under. */
  roots: readonly string[]
  /** How a project signs in at the origin's host. Default: as the operator. */
  gitRemote?: GitRemote
}

export interface PushRequest {
  state: SessionState
  body: Required<Pick<PushBody, 'force' | 'uncommitted'>> & PushBody
  actor: Actor
  idempotency: Idempotency | undefined
  audit: AuditDraft | undefined
}

/**
 * Pushes the last checkpoint of a session and makes sure that it is there. The branch at the origin moves in one step, from
 * where it was seen to be; only then the log tells of it. After a kill in between, the same push again finds it there, and
 * tells of it.
 */
export const pushSession = async (parts: PushParts, request: PushRequest): Promise<PushResult> => {
  const { store, service } = parts
  const { state, actor, idempotency, audit } = request
  const before = idempotency && (await store.outcome(idempotency, service.now()))
  if (before !== undefined) return answerOfThen(parts, request, before.first)
  const { data, unchanged, committed } = await deliver(parts, request)
  const command = { kind: 'pushed', actor, unchanged, data } as const
  const { id: session, project } = state.summary
  const result = await service.run({ session, project, command, idempotency, audit })
  if (result.replayed) return answerOfThen(parts, request, result.first)
  return { ...answer(request, data), unchanged, committed }
}

const answer = (
  { state }: PushRequest,
  { name, url, branch, commit, previous, forced, checkpoint }: EventData<'repository.pushed'>,
) => ({
  repository: name,
  url,
  branch,
  commit,
  previous,
  forced,
  checkpoint,
  turn: state.checkpoint?.number === checkpoint ? state.checkpoint.turn : undefined,
  running: state.summary.turn?.turn,
})

/** What was answered to the same request before, from what the log tells. */
const answerOfThen = async (
  { store }: PushParts,
  request: PushRequest,
  first: number,
): Promise<PushResult> => {
  const { id } = request.state.summary
  const lines = await store.eventsOfType(id, { type: 'repository.pushed', below: first + 1, limit: 50 })
  const wanted = request.body.repository
  const events = lines.map(({ json }) => JSON.parse(json) as EventOf<'repository.pushed'>)
  const event = events.find(({ data }) => wanted === undefined || data.name === wanted)
  if (event === undefined)
    throw new BerthError('internal', 'The push of this key is not in the log any more.')
  return { ...answer(request, event.data), unchanged: event.seq !== first, committed: false }
}

const deliver = async (parts: PushParts, { state, body, actor }: PushRequest) => {
  const { store, unpacking } = parts
  const { summary } = state
  const stores = { store, blobs: unpacking.blobs }
  const found = await readCheckpoint(stores, state, await findRef(stores, state, undefined))
  const { name, url, tree } = treeOf(state, found, body.repository)
  const branch = body.branch ?? sessionBranch(summary.id)
  const options = {
    session: summary.id,
    owner: summary.owner,
    message: body.message ?? summary.title,
    at: found.manifest.at,
    uncommitted: body.uncommitted,
  }
  const { id: session, project } = summary
  const origin = await originOf(parts, { url, project, session, actor })
  const pushed = summary.repositories.find((item) => item.name === name)?.pushed
  return withTree(unpacking, found, {
    tree,
    task: (checkpoint) =>
      unpacking.workroom.scratch(async (scratch) => {
        await makeScratch(unpacking.git, checkpoint, scratch)
        const target = {
          branch,
          url,
          force: body.force,
          pushed: pushed?.branch === branch ? pushed : undefined,
        }
        const sent = await bring(unpacking.git, origin, { scratch, place: { tree, options }, target })
        const { unchanged, committed, ...moved } = sent
        return { data: { name, url, branch, checkpoint: found.ref.number, ...moved }, unchanged, committed }
      }),
  })
}

const originOf = async (
  { unpacking, sandbox, roots, gitRemote }: PushParts,
  place: { url: string; project: string; session: string; actor: Actor },
): Promise<Origin> => {
  const { url } = place
  if (isLocalRepository(url)) return localOrigin({ git: unpacking.git, sandbox, url, roots })
  const remote = await gitRemote?.({ ...place, access: 'write' }).catch((error) => {
    if (isBerthError(error)) throw pushFailed(url, error.message)
    throw error
  })
  return remoteOrigin(remote === undefined ? unpacking.git : { remote }, url)
}

interface Bringing {
  scratch: string
  place: WorkPlace
  target: {
    branch: string
    url: string
    force: boolean
    /** The last push of the session to this branch. */
    pushed: { commit: string; tip?: string } | undefined
  }
}

/** Moves the branch at the origin, if it isn't there yet, and looks whether it is. */
const bring = async (git: CheckpointGit, origin: Origin, { scratch, place, target }: Bringing) => {
  const { branch, url, force } = target
  const before = await origin.look(branch)
  const { commit: previous } = before
  const { commit, tip, committed } = await workFor(git, origin, { scratch, place, target, previous })
  if (previous === commit) return { commit, tip, committed, unchanged: true, forced: false }
  if (before.checkedOut) throw checkedOut(branch, url)
  const forced =
    previous !== undefined && !(await comesAfter(git, scratch, { before: previous, after: commit }))
  if (forced && !force) throw notFastForward(branch)
  if (forced && [before.head, place.tree.branch].includes(branch)) throw precious(branch)
  await origin.send({ repository: scratch, branch, commit, previous, force: forced })
  const after = await origin.look(branch)
  if (after.commit !== commit)
    throw pushFailed(
      url,
      `git reported success, but the branch ${branch} is at ${after.commit ?? 'no commit'}. Somebody may have moved it since; look there.`,
    )
  return { commit, tip, committed, unchanged: false, forced, previous }
}

/** The commit to push: on top of the agent's commits, and of what an earlier push made of uncommitted work. */
const workFor = async (
  git: CheckpointGit,
  origin: Origin,
  { scratch, place, target, previous }: Bringing & { previous: string | undefined },
): Promise<Work> => {
  const { branch, pushed, force } = target
  const work = await workOf(git, scratch, place)
  if (previous === undefined || pushed === undefined || previous === work.commit) return work
  if (await comesAfter(git, scratch, { before: previous, after: work.commit })) return work
  // The agent has rewritten what was pushed: that is a matter of force.
  const { commit, tip } = pushed
  const isKept =
    tip === undefined ||
    (work.tip !== undefined && (await comesAfter(git, scratch, { before: tip, after: work.tip })))
  if (!isKept || force) return work
  await origin.fetch({ repository: scratch, branch })
  const isThere = await comesAfter(git, scratch, { before: commit, after: previous })
  return isThere ? workOnTop(git, scratch, { ...place, pushed: commit }) : work
}

const checkedOut = (branch: string, url: string) =>
  new BerthError(
    'push_rejected',
    `The branch ${branch} is checked out at ${url}, and its files would not follow. Push to another branch, then merge it there.`,
  )

const precious = (branch: string) =>
  new BerthError(
    'push_rejected',
    `${branch} is the branch that the session started from, or the default one: commits there are never given up. Push to another branch.`,
  )
