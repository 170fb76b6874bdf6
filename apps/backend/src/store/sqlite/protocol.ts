import type { BlobRef, LogLine } from '@berth/contract'
import type {
  AppendRequest,
  AppendResult,
  BaseRow,
  Grant,
  Notice,
  ProjectEdit,
  ProjectRow,
  Store,
} from '../port.ts'
import type { Fault } from './fault.ts'

/** What the writer's thread does, each in one transaction: input and value. All of it can be cloned. */
export interface Operations {
  createUpload: { input: Parameters<Store['createUpload']>[0]; value: undefined }
  extendUpload: { input: { upload: string; from: number; to: number; parts: string[] }; value: undefined }
  removeUpload: { input: { upload: string }; value: undefined }
  append: { input: AppendRequest; value: AppendResult }
  createProject: { input: Parameters<Store['createProject']>[0]; value: ProjectRow }
  editProject: { input: { name: string; edit: ProjectEdit }; value: ProjectRow }
  deleteProject: { input: { name: string }; value: undefined }
  setRunnerToken: { input: { session: string; generation: number; tokenHash: string }; value: undefined }
  heartbeat: {
    input: { session: string; generation: number; now: number; memoryBytes?: number }
    value: undefined
  }
  addLogs: { input: { session: string; generation: number; lines: LogLine[] }; value: undefined }
  lease: { input: { name: string; holder: string; now: number; ttlMs: number }; value: boolean }
  release: { input: { name: string; holder: string }; value: undefined }
  useBase: { input: { session: string; key: string; scope: string }; value: BaseRow }
  shareBases: { input: { from: string; to: string }; value: undefined }
  makeBase: { input: { project: string; key: string; scope: string }; value: BaseRow }
  completeBase: { input: { project: string; key: string; parts: BlobRef[] }; value: BaseRow | undefined }
  dropBases: { input: { now: number; before: number }; value: string[] }
  putGrant: { input: Grant; value: undefined }
  takeGrant: { input: { kind: Grant['kind']; hash: string; now: number }; value: Grant | undefined }
  removeGrant: { input: { kind: Grant['kind']; hash: string }; value: undefined }
  /** Events that were deleted. */
  compact: { input: { now: number; limit: number }; value: number }
  /** True: there is more to remove. */
  expire: { input: { now: number; time: number; before: number; limit: number }; value: boolean }
  /** Takes the session out of sight; its events follow with `sweep`. */
  purge: { input: { session: string; now: number }; value: undefined }
  /** Removes events of purged sessions; true: there are more. */
  sweep: { input: { limit: number }; value: boolean }
  ping: { input: undefined; value: undefined }
}

export type Operation = keyof Operations

export type Handlers = { [K in Operation]: (input: Operations[K]['input']) => Done<K> }

/** What came of an operation: its value, and what those who watch are told. */
export interface Done<K extends Operation = Operation> {
  value: Operations[K]['value']
  notice?: Notice
}

export type Job = { [K in Operation]: { id: number; operation: K; input: Operations[K]['input'] } }[Operation]

export type Reply = { id: number } & (Done | { fault: Fault })

/** To the thread: a job, or the end. */
export type ToWriter = Job | 'close'

/** From the thread: ready, replies of a committed group in their order, or that the database is closed. */
export type FromWriter = 'ready' | 'closed' | Reply[]

/** What the thread is started with. */
export interface WriterData {
  file: string
  maxBytes: number | undefined
  cachedSessions: number
  cachedBytes: number
}
