import { randomBytes } from 'node:crypto'
import { type Actor, makeId } from '@berth/contract'
import type { Store } from './port.ts'

export const auditResults = ['done', 'refused', 'failed'] as const
/** `refused`: somebody who is known was not allowed to, or what they asked for was not possible. `failed`: a fault of ours or of what Berth needs. */
export type AuditResult = (typeof auditResults)[number]

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

/** The audit's part of the store's port. Entries are added and never changed. */
export interface AuditStore {
  /**
   * This store, with the draft carried by everything that changes something: the first such transaction which succeeds
   * records it, as part of it; nothing is recorded of one that is refused, of an append that is a replay, and of one that
   * appends nothing. A function is asked at each change. Closing it closes this store.
   */
  audited(draft: AuditDraft | (() => AuditDraft)): Store
  /** Records what changes nothing in the store. Resolves when it is durable. */
  recordAudit(draft: AuditDraft): Promise<void>
}

/** The draft with an id. */
export const withId = (draft: AuditDraft): AuditDraft & { id: string } => ({
  ...draft,
  id: draft.id ?? makeId('audit', draft.at, randomBytes(10)),
})
