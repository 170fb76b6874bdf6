import type {
  Actor,
  CheckpointRef,
  EffectiveSettings,
  EventOf,
  ForkOrigin,
  SessionSettings,
  SessionState,
  Visibility,
} from '@berth/contract'
import type { BlobStore } from '../blobs/port.ts'
import { allowsModel, type SessionService } from '../session/service.ts'
import type { AuditDraft } from '../store/audit-store.ts'
import type { Idempotency, ProjectRow, Store } from '../store/port.ts'
import { unreadable } from './checkpoint-git.ts'
import { type FoundCheckpoint, findRef, forkOf, readCheckpoint } from './find-checkpoint.ts'
import { historyOf, storeHistory } from './history.ts'
import { adoptBases, useBases } from './share-bases.ts'

export interface ForkParts {
  store: Store
  blobs: BlobStore
  service: SessionService
}

export interface ForkRequest {
  /** The session that it starts from. */
  state: SessionState
  turn: string | undefined
  /** Where the new session will be. */
  project: ProjectRow
  actor: Actor
  title: string | undefined
  labels: Record<string, string>
  prompt: Parameters<SessionService['storePrompt']>[1] | undefined
  model: 'live' | 'scripted'
  visibility: Visibility
  idempotency: Idempotency | undefined
  audit: AuditDraft | undefined
}

/**
 * Makes a session that goes on from a checkpoint of another one; gives its summary. Everything that it needs is copied
 * first and the session made last, in one step: what a crash leaves before that belongs to no session and is swept.
 */
export const forkSession = async (parts: ForkParts, request: ForkRequest): Promise<string> => {
  const { store, blobs, service } = parts
  const { state, project, actor, idempotency, audit } = request
  const { summary } = state
  const found = await readCheckpoint(parts, state, await findRef(parts, state, request.turn))
  const session = service.newId('session')
  const scopes = { from: summary.id, to: session }
  await copyCheckpoint(blobs, found, scopes)
  if (project.name !== summary.project)
    await adoptBases(parts, found.manifest, { from: summary.project, to: project.name })
  const fork = await originOf(parts, { state, found, to: session })
  const prompt =
    request.prompt === undefined
      ? undefined
      : {
          prompt: service.newId('prompt'),
          content: await service.storePrompt({ session, project: project.name }, request.prompt),
        }
  const result = await service.run({
    session,
    project: project.name,
    idempotency,
    audit,
    command: {
      kind: 'create',
      actor,
      session,
      project: project.name,
      title: request.title ?? summary.title,
      labels: request.labels,
      repositories: state.repositories,
      settings: settingsFor(state.settings, service.settingsOf(project.settings, state.settings).values),
      model: request.model,
      visibility: request.visibility,
      prompt,
      fork,
    },
  })
  // The bases are there for a day without this, and its runner asks for them when it starts.
  if (!result.replayed) await useBases(store, session, found.manifest)
  return result.summary
}

const copyCheckpoint = async (
  blobs: BlobStore,
  { ref, manifest }: FoundCheckpoint,
  { from, to }: { from: string; to: string },
): Promise<void> => {
  const packs = manifest.trees.flatMap((tree) => tree.packs.flatMap(({ parts }) => parts))
  const files = (manifest.conversation?.files ?? []).flatMap(({ parts }) => parts)
  for (const { blob } of [ref.manifest, ...packs, ...files])
    if (!(await blobs.copy(from, blob, to))) throw unreadable(`the blob ${blob} is gone`)
}

/** Says where the fork comes from, with the history that it shows; blobs that the history refers to come along. */
const originOf = async (
  parts: ForkParts,
  { state, found, to }: { state: SessionState; found: FoundCheckpoint; to: string },
): Promise<ForkOrigin> => {
  const { blobs, store } = parts
  const { ref, manifest } = found
  const { id: session, project } = state.summary
  const fork = await forkOf(store, session)
  const seq = await lastOf(store, session, ref)
  const history = await historyOf(parts, { session, upTo: seq, fork })
  for (const blob of history.blobs) await blobs.copy(session, blob, to)
  return {
    project,
    session,
    turn: ref.turn,
    seq,
    checkpoint: ref,
    history: await storeHistory(blobs, to, history),
    conversation: manifest.conversation?.id,
    directory: state.directory as ForkOrigin['directory'],
  }
}

/** The last event that belongs to a checkpoint: the end of its turn, or that which tells of it. */
const lastOf = async (store: Store, session: string, { turn, number }: CheckpointRef): Promise<number> => {
  const saved = await store.eventsOfType(session, { type: 'checkpoint.saved', limit: 200 })
  const line = saved.find(
    ({ json }) => (JSON.parse(json) as EventOf<'checkpoint.saved'>).data.number === number,
  )
  const ended = turn === undefined ? undefined : await store.lastEvent(session, { type: 'turn.ended', turn })
  // The checkpoint that the session itself was forked with: nothing of its own log is in it.
  return ended?.seq ?? line?.seq ?? 1
}

/** The settings of the other session, without models that the project does not allow. */
const settingsFor = (
  settings: SessionSettings,
  values: Pick<EffectiveSettings, 'allowedModels'>,
): SessionSettings => {
  const { model, fallbackModel, smallModel, ...rest } = settings
  const allowed = (name: string | undefined) =>
    name !== undefined && allowsModel(name, values) ? name : undefined
  return {
    ...rest,
    model: allowed(model),
    fallbackModel: allowed(fallbackModel),
    smallModel: allowed(smallModel),
  }
}
