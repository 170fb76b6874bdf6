import type { Actor, DeletionStep } from '@berth/contract'
import type { ProjectRow } from './port.ts'

/** `archived`: nothing in it runs or changes. `deleting`: it is found no more, and goes piece by piece. */
export type ProjectState = 'active' | 'archived' | 'deleting'

/** A project that is being deleted. */
export interface DeletionRow {
  project: string
  /** Milliseconds since 1970. */
  since: number
  by: Actor
  step: DeletionStep
  /** Sessions when it began. */
  sessions: number
}

/** The life of projects; part of the store's port. */
export interface LifecycleStore {
  /** Undefined: there is no such project. */
  projectState(project: string): Promise<ProjectState | undefined>
  /** Idempotent. Rejects with `project_not_found`, also for one that is being deleted. */
  setArchived(project: string, change: { archived: boolean; now: number }): Promise<ProjectRow>
  /**
   * From then on the project is found by nothing but these methods. A second call changes nothing. Rejects with
   * `project_not_found`.
   */
  beginDeletion(project: string, begin: { by: Actor; now: number }): Promise<DeletionRow>
  /** Undefined: the project isn't being deleted. */
  deletion(project: string): Promise<DeletionRow | undefined>
  /** Notes how far a deletion is. Idempotent. */
  setDeletionStep(project: string, step: DeletionStep): Promise<void>
  /** Removes a project that is being deleted and has no sessions, with all rows that are left of it. Idempotent. */
  finishDeletion(project: string): Promise<void>
  /** Projects that are being deleted, and archived ones with sessions that live or want to. */
  unsettled(): Promise<{ project: string; state: 'archived' | 'deleting' }[]>
  /** Sessions of a project by id, after one; `running`: only those that live or want to. */
  sessionsOf(project: string, range: { after: string; limit: number; running?: boolean }): Promise<string[]>
  /** How many sessions a project has, deleted ones too. */
  countSessions(project: string): Promise<number>
  /** Where the base packs of a project lie, at most `limit`. */
  basesOf(project: string, limit: number): Promise<string[]>
  /** Forgets a base pack whose parts are gone. Idempotent. */
  removeBase(scope: string): Promise<void>
}
