import {
  BerthError,
  type CheckpointItem,
  type CheckpointManifest,
  type CheckpointRef,
  type CheckpointTree,
  type EventOf,
  type SessionState,
} from '@berth/contract'
import type { BlobStore } from '../blobs/port.ts'
import type { Line, Store } from '../store/port.ts'
import { type BlobScopes, readManifest } from './read-blobs.ts'

/** A checkpoint that was found, with what it needs to be read. */
export interface FoundCheckpoint {
  ref: CheckpointRef
  manifest: CheckpointManifest
  scopes: BlobScopes
}

interface Stores {
  store: Store
  blobs: BlobStore
}

const savedOf = (line: Line) => JSON.parse(line.json) as EventOf<'checkpoint.saved'>

export const forkOf = async (store: Store, session: string) => {
  const [first] = await store.events(session, { after: 0, limit: 1, maxBytes: 1 })
  if (first === undefined) return undefined
  return (JSON.parse(first.json) as EventOf<'session.created'>).data.fork
}

/** The last checkpoint, or that of a turn. Rejects with `no_checkpoint`, naming turns that have one. */
export const findRef = async (
  { store }: Stores,
  state: SessionState,
  turn: string | undefined,
): Promise<CheckpointRef> => {
  const { id } = state.summary
  if (turn === undefined) {
    if (state.checkpoint !== undefined) return state.checkpoint
    throw new BerthError(
      'no_checkpoint',
      `Session ${id} has no checkpoint yet: the first is taken after its first turn. Wait for that.`,
    )
  }
  const line = await store.lastEvent(id, { type: 'checkpoint.saved', turn })
  if (line !== undefined) return refOf(savedOf(line))
  const fork = await forkOf(store, id)
  if (fork !== undefined && fork.checkpoint.turn === turn) return fork.checkpoint
  const known = await store.eventsOfType(id, { type: 'checkpoint.saved', limit: 50 })
  const turns = [...new Set(known.flatMap((one) => savedOf(one).data.turn ?? []))]
  const advice =
    turns.length === 0 ? 'No turn of it has one yet.' : `These have one: ${turns.slice(0, 20).join(', ')}.`
  throw new BerthError('no_checkpoint', `Session ${id} has no checkpoint of the turn ${turn}. ${advice}`)
}

const refOf = ({ data }: EventOf<'checkpoint.saved'>): CheckpointRef => {
  const { number, turn, manifest, size, files } = data
  return { number, turn, manifest, size, files }
}

export const readCheckpoint = async (
  { store, blobs }: Stores,
  { summary }: SessionState,
  ref: CheckpointRef,
): Promise<FoundCheckpoint> => {
  const manifest = await readManifest(blobs, summary.id, ref.manifest)
  const keys = new Set(manifest.trees.flatMap(({ basePack }) => basePack?.key ?? []))
  const bases = await Promise.all([...keys].map((key) => store.base(summary.project, key)))
  const scopes = [summary.id, ...bases.flatMap((base) => base?.scope ?? [])]
  return { ref, manifest, scopes }
}

/** The tree of a repository: the named one, or the only one. */
export const treeOf = (
  state: SessionState,
  { manifest }: FoundCheckpoint,
  name: string | undefined,
): { name: string; url: string; tree: CheckpointTree } => {
  const { repositories } = state.summary
  const names = repositories.map((item) => item.name).join(', ')
  if (name === undefined && repositories.length > 1)
    throw new BerthError('invalid_input', `The session has several repositories. Name one: ${names}.`, [
      { field: 'repository', message: `expected one of ${names}` },
    ])
  const found = name === undefined ? repositories[0] : repositories.find((item) => item.name === name)
  if (found === undefined)
    throw new BerthError(
      'repository_not_found',
      name === undefined
        ? 'The session has no repository. Read its files instead.'
        : `The session has no repository ${name}. It has: ${names || 'none'}.`,
    )
  const tree = manifest.trees.find(({ path }) => path === found.name)
  if (tree !== undefined) return { name: found.name, url: found.url, tree }
  throw new BerthError(
    'no_checkpoint',
    `The checkpoint has nothing of the repository ${found.name}: it was added later, or its directory is gone.`,
  )
}

/** An entry of a list of checkpoints. */
export const itemOf = (line: Line): CheckpointItem => {
  const { data, at, seq } = savedOf(line)
  const { number, turn, reason, files, size } = data
  return { number, turn, at, reason, files, size, seq }
}
