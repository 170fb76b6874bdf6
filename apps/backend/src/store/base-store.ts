import type { BlobRef } from '@berth/contract'

/** A base pack of a project: where its parts lie in the blob store, and which they are once it is whole. */
export interface BaseRow {
  scope: string
  parts: BlobRef[] | undefined
}

/** Base packs, kept once for a project; part of the store's port. */
export interface BaseStore {
  /** The project's base of that key. */
  base(project: string, key: string): Promise<BaseRow | undefined>
  /**
   * Notes that a session needs the base of that key in its project, and makes it, without parts, if it isn't there:
   * under `scope` then. Rejects with `session_not_found`.
   */
  useBase(session: string, base: { key: string; scope: string }): Promise<BaseRow>
  /** Makes the base of that key in a project, without parts, if it isn't there: under `scope` then. Nobody needs it yet. */
  makeBase(project: string, base: { key: string; scope: string }): Promise<BaseRow>
  /** The new session needs what the other one needs, so that nothing of it is removed meanwhile. */
  shareBases(from: string, to: string): Promise<void>
  /** Says which parts make the base whole. The first call counts. Undefined: there is no such base. */
  completeBase(project: string, key: string, parts: BlobRef[]): Promise<BaseRow | undefined>
  /** Removes bases that were found unused in calls since `before`, and notes which are unused now. Their scopes. */
  dropBases(query: { now: number; before: number }): Promise<string[]>
  /** Which of these scopes are bases. */
  existingBases(scopes: string[]): Promise<Set<string>>
}
