import { randomBytes } from 'node:crypto'
import {
  type Actor,
  type AuditHead,
  type AuditLink,
  type AuditRecord,
  type AuditResult,
  makeId,
} from '@berth/contract'
import type { Page, Store } from './port.ts'

/** What an entry of the audit will say. Plain data. Never a secret, and never the text of a prompt. */
export interface AuditDraft {
  /** `aud_…`. What is recorded twice under one id is one entry. Default: a new one. */
  id?: string
  /** Milliseconds since 1970. */
  at: number
  actor: Actor
  /** The name of a route row, such as `createSession`, or a word such as `secret.used`, `git.pushed`, `login`. */
  action: string
  project?: string
  session?: string
  /** What it was done to: `{ kind: 'key', id: 'key_…' }`. Of an append its session, if it is left out. */
  object?: { kind: string; id: string }
  result: AuditResult
  /** Why it was refused, or how it failed: a code of the catalogue. */
  code?: string
  /** Where the request came from. */
  address?: string
  requestId?: string
  /** What else is worth to know, up to 4 KB as JSON: more is left out. */
  details?: Record<string, unknown>
}

/** The audit's part of the store's port. Entries are added and sealed, and never change. */
export interface AuditStore {
  /**
   * This store, with the draft carried by everything that changes something: the first such transaction which succeeds
   * records it, as part of it; nothing is recorded of one that is refused, of an append that is a replay, and of one that
   * appends nothing. A function is asked at each change. Closing it closes this store.
   */
  audited(draft: AuditDraft | (() => AuditDraft)): Store
  /** Records what changes nothing in the store. Resolves when it is durable. */
  recordAudit(draft: AuditDraft): Promise<void>

  /** The newest first, sealed or not. */
  auditList(filter: AuditFilter, page: Page): Promise<{ items: AuditRecord[]; next?: string }>
  /** Sealed entries with `after < number`, in order, of at most `limit` numbers from there on. */
  auditSealed(
    filter: AuditFilter,
    range: { after: number; limit: number },
  ): Promise<{ items: SealedRecord[]; last: number }>
  auditChain(): Promise<AuditChain>
  /** Committed entries that are not sealed, those that were recorded first in front. */
  auditUnsealed(limit: number): Promise<{ place: number; entry: AuditRecord }[]>
  /**
   * Adds entries to the chain, all or none: false when it does not end at `after` any more, because another backend has
   * sealed. An entry gets one number, once.
   */
  sealAudit(after: ChainPlace, links: readonly (AuditLink & { place: number })[]): Promise<boolean>
  addAuditHead(head: AuditHead): Promise<void>
  /** The newest first. */
  auditHeads(page: Page): Promise<{ items: AuditHead[]; next?: string }>
  /** Heads of these entries, in order. */
  auditHeadsOf(range: { after: number; upTo: number }): Promise<AuditHead[]>
  /** The last sealed entry in a row from the start which is older than `before`; undefined: none is. */
  auditExpired(before: number): Promise<ChainPlace | undefined>
  /** Removes entries and heads up to the anchor, and says from now on that the chain begins after it. */
  expireAudit(anchor: AuditHead): Promise<void>
}

/** All that are given must hold. */
export interface AuditFilter {
  project?: string
  session?: string
  /** Id of the actor. */
  actor?: string
  /** With `*` at its end: all that begin so. */
  action?: string
  /** Id of the object. */
  object?: string
  result?: AuditResult
  /** Milliseconds since 1970: from the first on, before the second. */
  from?: number
  to?: number
}

export type SealedRecord = AuditRecord & { sealed: AuditLink }

/** An entry by its number, and what the chain is there. */
export interface ChainPlace {
  number: number
  digest: string
}

export interface AuditChain {
  /** The last that was sealed; number 0: none. */
  tip: ChainPlace
  /** The last that was removed because it was old. */
  anchor: AuditHead | undefined
  unsealed: number
  /** When the oldest of them was recorded. */
  unsealedSince: number | undefined
}

/** The draft with an id. */
export const withId = (draft: AuditDraft): AuditDraft & { id: string } => ({
  ...draft,
  id: draft.id ?? makeId('audit', draft.at, randomBytes(10)),
})
