import type { Actor } from '@berth/contract'
import type { AccessStore } from './access-store.ts'
import type { AuditStore } from './audit-store.ts'
import type { BaseStore } from './base-store.ts'
import type { BrowserSessionStore } from './browser-session-store.ts'
import type { LifecycleStore } from './lifecycle-store.ts'
import type { ProjectStore } from './project-store.ts'
import type { RunnerStore } from './runner-store.ts'
import type { SecretStore } from './secret-store.ts'
import type { SessionStore } from './session-store.ts'
import type { UploadStore } from './upload-store.ts'
import type { UsageStore } from './usage-store.ts'

export type { BaseRow } from './base-store.ts'
export type { ProjectEdit, ProjectFilter, ProjectRow, Viewer } from './project-store.ts'
export type { GenerationRow, Occupancy, RunnerIdentity } from './runner-store.ts'
export type {
  AppendRequest,
  AppendResult,
  ChangeLine,
  Heads,
  Idempotency,
  Line,
  ListPage,
  Notice,
  SessionFilter,
} from './session-store.ts'

/** Keyset page: items after the one that `cursor` names. */
export interface Page {
  limit: number
  cursor?: string
}

/** A secret that opens something for a while, known by its SHA-256. */
export interface Grant {
  /** `sign-in`: one that was begun at the issuer. */
  kind: 'ticket' | 'browser' | 'sign-in'
  hash: string
  principal: Actor
  expiresAt: number
}

/** How long the events of an operation stay after its answer, so that whoever waits for it has seen them. */
export const operationMs = 300_000

/**
 * Where everything is kept. Every method that changes something is atomic and durable when it resolves; none is
 * partly done when it rejects. Rejections are `BerthError`s where the caller can do something (`session_not_found`,
 * `storage_full`, …), others are faults. Reads see everything that was acknowledged before they were called.
 * Adapters pass `storeConformance`. Nothing outside an adapter knows its database.
 */
export interface Store
  extends AccessStore,
    AuditStore,
    BaseStore,
    BrowserSessionStore,
    LifecycleStore,
    ProjectStore,
    RunnerStore,
    SecretStore,
    SessionStore,
    UploadStore,
    UsageStore {
  readonly kind: 'sqlite' | 'postgres'

  /**
   * Deletes deltas of completed blocks, and events of operations that were answered `operationMs` before `now`, at most
   * `limit` events; says how many.
   */
  compact(query: { now: number; limit: number }): Promise<number>
  /** Removes expired idempotency records, uploads older than `limits.uploadHours`, grants, and tombstones older than `before`. */
  expire(query: { now: number; before: number }): Promise<void>
  /** Removes a deleted session with everything and leaves a tombstone in the project's changes. */
  purge(session: string, now: number): Promise<void>

  putGrant(grant: Grant): Promise<void>
  grant(kind: Grant['kind'], hash: string, now: number): Promise<Grant | undefined>
  /** Reads and removes it, once. */
  takeGrant(kind: Grant['kind'], hash: string, now: number): Promise<Grant | undefined>
  removeGrant(kind: Grant['kind'], hash: string): Promise<void>

  /** Counts for metrics. */
  stats(): Promise<{ sessions: Record<string, number>; bytes: number }>
  /** Rejects when the store does not answer. */
  ping(): Promise<void>
  /** Finishes what was accepted, then closes. */
  close(): Promise<void>
}
