import type { Actor, AuditHead, AuditLink, BlobRef, DeletionStep, LogLine, Subject } from '@berth/contract'
import type { AdminGuard, Member } from './access-store.ts'
import type { AuditDraft, ChainPlace } from './audit-store.ts'
import type { BrowserSessionNews, BrowserSessionRow, IssuerLogout } from './browser-session-store.ts'
import type { KeyRotation, KeyRow, NewKey, Revoked } from './key-store.ts'
import type { DeletionRow } from './lifecycle-store.ts'
import type {
  AppendRequest,
  AppendResult,
  BaseRow,
  Grant,
  Notice,
  ProjectEdit,
  ProjectRow,
  Store,
} from './port.ts'
import type { Program } from './query.ts'
import type { SecretRow } from './secret-store.ts'

/** What changes a store, each in one transaction: input and value. All of it can be cloned. */
export interface Operations {
  createUpload: { input: Parameters<Store['createUpload']>[0]; value: undefined }
  extendUpload: { input: { upload: string; from: number; to: number; parts: string[] }; value: undefined }
  removeUpload: { input: { upload: string }; value: undefined }
  putSecret: { input: Parameters<Store['putSecret']>[0]; value: SecretRow }
  deleteSecret: { input: Parameters<Store['deleteSecret']>[0]; value: undefined }
  secretUsed: { input: Parameters<Store['secretUsed']>[0]; value: boolean }
  resealSecrets: { input: { items: Parameters<Store['resealSecrets']>[0] }; value: number }
  claimKeys: { input: Parameters<Store['claimKeys']>[0]; value: Record<string, string> }
  append: { input: AppendRequest; value: AppendResult }
  createProject: { input: Parameters<Store['createProject']>[0]; value: ProjectRow }
  editProject: { input: { name: string; edit: ProjectEdit }; value: ProjectRow }
  setMember: { input: { member: Member; guard: AdminGuard }; value: Member }
  noteGroups: { input: Parameters<Store['noteGroups']>[0]; value: undefined }
  removeMember: { input: { project: string; subject: Subject; guard: AdminGuard }; value: boolean }
  createKey: { input: NewKey; value: KeyRow }
  rotateKey: { input: { project: string; id: string } & KeyRotation; value: KeyRow }
  revokeKey: { input: { project: string; id: string; now: number }; value: undefined }
  touchKey: { input: { id: string; now: number; address: string | undefined }; value: undefined }
  revokeSubject: { input: Parameters<Store['revokeSubject']>[0]; value: Revoked }
  setArchived: { input: { project: string; archived: boolean; now: number }; value: ProjectRow }
  beginDeletion: { input: { project: string; by: Actor; now: number }; value: DeletionRow }
  setDeletionStep: { input: { project: string; step: DeletionStep }; value: undefined }
  finishDeletion: { input: { project: string }; value: undefined }
  removeBase: { input: { scope: string }; value: undefined }
  setRunnerToken: { input: { session: string; generation: number; tokenHash: string }; value: undefined }
  heartbeat: {
    input: { session: string; generation: number; now: number; memoryBytes?: number }
    value: undefined
  }
  addLogs: { input: { session: string; generation: number; lines: LogLine[] }; value: undefined }
  lease: { input: { name: string; holder: string; ttlMs: number }; value: boolean }
  release: { input: { name: string; holder: string }; value: undefined }
  useBase: { input: { session: string; key: string; scope: string }; value: BaseRow }
  shareBases: { input: { from: string; to: string }; value: undefined }
  makeBase: { input: { project: string; key: string; scope: string }; value: BaseRow }
  completeBase: { input: { project: string; key: string; parts: BlobRef[] }; value: BaseRow | undefined }
  dropBases: { input: { now: number; before: number }; value: string[] }
  putGrant: { input: Grant; value: undefined }
  takeGrant: { input: { kind: Grant['kind']; hash: string; now: number }; value: Grant | undefined }
  createBrowserSession: { input: BrowserSessionRow; value: undefined }
  touchBrowserSession: { input: { hash: string; usedAt: number }; value: undefined }
  claimBrowserSessions: {
    input: Parameters<Store['claimBrowserSessions']>[0]
    value: BrowserSessionRow[]
  }
  resealBrowsers: { input: { items: Parameters<Store['resealBrowsers']>[0] }; value: number }
  /** `next`: from where on there are more to look at. */
  endBrowsersSealedOtherwise: {
    input: { beginnings: string[]; after: string; limit: number }
    value: { ended: number; next: string | undefined }
  }
  refreshBrowserSession: { input: { hash: string } & BrowserSessionNews; value: boolean }
  endBrowserSessions: { input: IssuerLogout; value: number }
  removeBrowserSession: { input: { hash: string }; value: BrowserSessionRow | undefined }
  removeGrant: { input: { kind: Grant['kind']; hash: string }; value: undefined }
  /** Events that were deleted. */
  compact: { input: { now: number; limit: number }; value: number }
  /** True: there is more to remove. */
  expire: { input: { now: number; before: number; limit: number }; value: boolean }
  /** Takes the session out of sight; its events follow with `sweep`. */
  purge: { input: { session: string; now: number }; value: undefined }
  /** Removes events of purged sessions; true: there are more. */
  sweep: { input: { limit: number }; value: boolean }
  recordAudit: { input: AuditDraft; value: undefined }
  sealAudit: {
    input: { after: ChainPlace; links: readonly (AuditLink & { place: number })[] }
    value: boolean
  }
  addAuditHead: { input: AuditHead; value: undefined }
  /** True: there is more to remove. */
  expireAudit: { input: { anchor: AuditHead; limit: number }; value: boolean }
  ping: { input: undefined; value: undefined }
}

export type Operation = keyof Operations

/** How it is done: a program each, but for those that each store does in its own way. */
export type Programs = {
  [K in Exclude<Operation, 'append' | 'ping'>]: (input: Operations[K]['input']) => Program<Done<K>>
}

/** What came of an operation: its value, and what those who watch are told. */
export interface Done<K extends Operation = Operation> {
  value: Operations[K]['value']
  notice?: Notice
  /** What the audit says of it besides what was asked. */
  details?: Record<string, unknown>
}
