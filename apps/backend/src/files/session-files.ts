import { Readable } from 'node:stream'
import {
  type Actor,
  BerthError,
  type FileEntry,
  isBerthError,
  type OperationRequest,
  type SessionState,
  type Transfer,
} from '@berth/contract'
import type { BlobStore } from '../blobs/port.ts'
import type { CheckpointFiles } from '../checkpoints/files.ts'
import { isComing, type Operations } from '../operations/operations.ts'
import type { SessionService } from '../session/service.ts'
import { type ByteRange, cut, readParts } from './parts.ts'

export interface SessionFilesOptions {
  blobs: BlobStore
  service: Pick<SessionService, 'state' | 'newId'>
  operations: Pick<Operations, 'run'>
  checkpoints: CheckpointFiles
}

/** Who asks for files of which session; with a turn, for those of then. */
export interface FilesCall {
  project: string
  session: string
  actor: Actor
  path: string
  turn?: string | undefined
  signal: AbortSignal
}

export interface ListedFiles {
  items: FileEntry[]
  more: boolean
  /** The checkpoint that was read; missing: the workspace itself. */
  checkpoint?: number
}

/** Bytes that were found. The caller reads `open` once, and calls `release` in the end, whatever happened. */
export interface FoundContent {
  /** Missing: not known before it was read. */
  size?: number
  /** Changes with the content. */
  etag?: string
  open(range?: ByteRange): Readable
  release(): Promise<void>
}

/** Files of a session for readers: of a live one from its workspace, else from what was saved last. */
export class SessionFiles {
  readonly #options: SessionFilesOptions

  constructor(options: SessionFilesOptions) {
    this.#options = options
  }

  list(call: FilesCall & { after?: string; recursive?: boolean }): Promise<ListedFiles> {
    const { session, path, turn, after, recursive } = call
    const { checkpoints } = this.#options
    return this.#from(call, {
      live: async () => {
        const request = { kind: 'list', path, after, recursive } as const
        const { entries, more } = await this.#run(call, request)
        return { items: entries, more }
      },
      saved: async () => {
        if (recursive === true) return listAll(checkpoints, { session, path, turn })
        const { entries, more, checkpoint } = await checkpoints.list(session, { path, turn, after })
        return { items: entries, more, checkpoint }
      },
    })
  }

  read(call: FilesCall): Promise<FoundContent> {
    const { session, path, turn } = call
    return this.#from(call, {
      live: () => this.#transfer(call, { kind: 'read', path }),
      saved: async () => {
        const { size, content, checkpoint } = await this.#options.checkpoints.read(session, { path, turn })
        return { size, etag: `checkpoint-${checkpoint}`, ...readOnce(content) }
      },
    })
  }

  archive(call: FilesCall): Promise<FoundContent> {
    const { session, path, turn } = call
    return this.#from(call, {
      live: () => this.#transfer(call, { kind: 'archive', path }),
      saved: async () => {
        const { content } = await this.#options.checkpoints.archive(session, { path, turn })
        return readOnce(content)
      },
    })
  }

  /** Lets the runner store what it reads, and finds it there. */
  async #transfer(
    call: FilesCall,
    request: Extract<OperationRequest, { kind: 'read' | 'archive' }>,
  ): Promise<FoundContent> {
    const { blobs, service } = this.#options
    const operation = service.newId('operation')
    const release = () => blobs.removeAll(operation)
    try {
      const { content } = await this.#run(call, request, operation)
      const { size, sha256: etag } = content as Transfer
      return { size, etag, open: (range) => readParts(blobs, content as Transfer, range), release }
    } catch (error) {
      await release()
      throw error
    }
  }

  #run<R extends OperationRequest>(call: FilesCall, request: R, operation?: string) {
    const { project, session, actor, signal } = call
    const bulk = request.kind !== 'list'
    return this.#options.operations.run({ project, session, actor, signal, request, operation, bulk })
  }

  /** Reads live where a runner is there, or about to be and nothing is saved. A runner that is lost meanwhile is no harm. */
  async #from<T>(
    { project, session, turn }: FilesCall,
    source: { live: () => Promise<T>; saved: () => Promise<T> },
  ): Promise<T> {
    const state = await this.#options.service.state(session)
    if (state.summary.project !== project)
      throw new BerthError('session_not_found', `There is no session ${session} in this project.`)
    if (state.summary.desired === 'deleted')
      throw new BerthError('session_deleted', `Session ${session} is deleted. Restore it first.`)
    const isSaved = state.checkpoint !== undefined
    if (turn !== undefined || (isSaved && !isLive(state))) return source.saved()
    if (!isLive(state) && !isComing(state))
      throw new BerthError(
        'session_not_live',
        `Session ${session} has no runner, and nothing of it is saved.`,
      )
    try {
      return await source.live()
    } catch (error) {
      if (!isSaved || !isBerthError(error) || error.code !== 'session_not_live') throw error
      return source.saved()
    }
  }
}

const isLive = ({ live, connected, summary }: SessionState): boolean =>
  live && connected && summary.desired === 'running'

const readOnce = (content: Readable): Pick<FoundContent, 'open' | 'release'> => ({
  open: (range) =>
    range === undefined ? content : Readable.from(cut(content, range), { objectMode: false }),
  release: async () => void content.destroy(),
})

/** The most entries of a recursive list, and directories that are looked into. */
const most = { entries: 500, directories: 1000 }

/** All files below a directory of a checkpoint, by path. */
const listAll = async (
  checkpoints: CheckpointFiles,
  { session, path, turn }: Pick<FilesCall, 'session' | 'path' | 'turn'>,
): Promise<ListedFiles> => {
  const items: FileEntry[] = []
  const found: { checkpoint?: number } = {}
  let directories = 0
  const walk = async (below: string): Promise<boolean> => {
    directories += 1
    if (directories > most.directories) return false
    for (let after: string | undefined; ; ) {
      const at = below === '' ? path : `${path}/${below}`
      const { entries, more, checkpoint } = await checkpoints.list(session, { path: at, turn, after })
      found.checkpoint = checkpoint
      for (const entry of entries) {
        const name = below === '' ? entry.name : `${below}/${entry.name}`
        if (entry.kind === 'directory') {
          if (!(await walk(name))) return false
        } else if (items.length === most.entries) return false
        else items.push({ ...entry, name })
      }
      if (!more) return true
      after = entries.at(-1)?.name
    }
  }
  const whole = await walk('')
  return { items, more: !whole, ...found }
}
