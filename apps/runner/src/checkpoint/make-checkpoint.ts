import type { RunnerClient } from '@berth/client'
import { type CheckpointManifest, type CheckpointRef, checkpointManifest } from '@berth/contract'
import type { Sandbox } from '@berth/sandbox'
import type { AgentHome } from '../home/agent-home.ts'
import type { Layout } from '../layout.ts'
import type { SavedTree } from '../workspace/saved-tree.ts'
import type { TrackedRepository, WorkspaceState } from '../workspace/state.ts'
import type { BasePack, BasePacks } from './base-pack.ts'
import type { CheckpointRequest } from './checkpointer.ts'
import { storeConversation } from './conversation-parts.ts'
import { packTree } from './pack.ts'
import { readStored, writeStored } from './stored-state.ts'
import { packSavedTree, sameTrees } from './tree-chain.ts'
import { type BlobSink, createBlobSink } from './upload.ts'

/** A checkpoint that is whole in the blob store. */
export type MadeCheckpoint = Omit<CheckpointRef, 'turn'> & { omitted: string[] }

export interface MakeOptions {
  session: string
  home: Pick<RunnerClient, 'putBlob'>
  bases: BasePacks
  /** The last checkpoint that the backend knows of: numbers go on from there. */
  known: CheckpointRef | undefined
  state(): WorkspaceState
  mostBytes: number
  layout: Layout
  agentHome: Pick<AgentHome, 'readConversation'>
  sandbox: Sandbox
  signal: AbortSignal
  now(): Date
  onProblem(error: unknown): void
}

/**
 * Makes checkpoints. Everything of one is in the blob store before it is remembered, and it is remembered before anybody
 * is told: a runner that is killed between leaves nothing but blobs that nobody refers to.
 */
export const createMaker = (options: MakeOptions) => {
  const { layout, signal, onProblem } = options
  const bases = new Map<string, Promise<BasePack | undefined>>()
  const baseOf = async (tracked: TrackedRepository | undefined, before: BasePack | undefined) => {
    if (tracked?.base === undefined || tracked.url === '') return undefined
    if (before?.commit === tracked.base) return before
    const key = `${tracked.url} ${tracked.base}`
    const asked = bases.get(key) ?? options.bases.ensure(tracked.url, tracked.base)
    bases.set(key, asked)
    asked.catch(() => bases.delete(key))
    return asked
  }
  return async (request: CheckpointRequest): Promise<MadeCheckpoint | undefined> => {
    const stored = await readStored(layout.outside.checkpoint)
    const before = stored?.manifest.session === options.session ? stored.manifest : undefined
    const { saved, conversation, reason } = request
    if (before !== undefined && reason !== 'turn' && unchanged(request, before)) return undefined
    const counted = countingSink(createBlobSink({ put: options.home.putBlob, signal, onProblem }))
    const number = Math.max(before?.number ?? 0, options.known?.number ?? 0) + 1
    const packed = await packAll(options, { trees: saved.trees, before, number, sink: counted.sink, baseOf })
    const manifest: CheckpointManifest = checkpointManifest.parse({
      version: 1,
      session: options.session,
      number,
      ...(request.turn === undefined ? {} : { turn: request.turn }),
      at: options.now().toISOString(),
      trees: packed.map(({ entry }) => entry),
      ...(conversation === undefined
        ? {}
        : {
            conversation: await storeConversation({
              agentHome: options.agentHome,
              id: conversation.id,
              files: conversation.files,
              before: before?.conversation,
              sink: counted.sink,
            }),
          }),
    })
    const ref = await counted.sink.put(Buffer.from(JSON.stringify(manifest)))
    await writeStored(layout.outside.checkpoint, { manifest })
    const files = saved.trees.reduce((sum, tree) => sum + tree.files, 0)
    const omitted = [...saved.omitted, ...packed.flatMap((item) => item.omitted)]
    return {
      number,
      manifest: { ...ref, mediaType: 'application/json' },
      size: counted.bytes(),
      files,
      omitted,
    }
  }
}

const unchanged = ({ saved, conversation }: CheckpointRequest, before: CheckpointManifest): boolean => {
  const files = before.conversation?.files ?? []
  const talk = conversation?.files ?? []
  return (
    sameTrees(saved.trees, before) &&
    files.length === talk.length &&
    talk.every(({ path, size }) => files.find((file) => file.path === path)?.size === size)
  )
}

interface PackAll {
  trees: readonly SavedTree[]
  before: CheckpointManifest | undefined
  number: number
  sink: BlobSink
  baseOf(tracked: TrackedRepository | undefined, before: BasePack | undefined): Promise<BasePack | undefined>
}

const packAll = async (options: MakeOptions, { trees, before, number, sink, baseOf }: PackAll) => {
  const { layout, sandbox, signal, mostBytes } = options
  const packed: Awaited<ReturnType<typeof packSavedTree>>[] = []
  for (const tree of trees) {
    const tracked = options.state().repositories.find(({ name, url }) => url !== '' && name === tree.path)
    const was = before?.trees.find(({ path }) => path === tree.path)
    const base = await baseOf(tracked, was?.basePack)
    const pack = (list: { wants: string[]; haves: string[]; full: boolean }) =>
      packTree({ path: tree.path, ...list, sink, mostBytes, layout, sandbox, signal })
    packed.push(await packSavedTree({ tree, tracked, before: was, base, number, pack }))
  }
  return packed
}

/** Counts the bytes that are stored. */
const countingSink = (sink: BlobSink) => {
  let bytes = 0
  return {
    sink: {
      async put(content: Uint8Array) {
        bytes += content.length
        return sink.put(content)
      },
    },
    bytes: () => bytes,
  }
}
