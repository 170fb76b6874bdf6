import type { Actor, ProjectRole, Subject } from '@berth/contract'

/** Somebody with a role in a project. */
export interface Member extends Subject {
  project: string
  role: ProjectRole
  /** Who is shown for it. */
  name?: string
  /** Milliseconds since 1970. */
  addedAt: number
  addedBy: Actor
}

/** Names under which one principal may be a member; more are refused where principals are made. */
export const maxSubjects = 256

/** Who may do what; part of the store's port. What it says counts at once, for every backend: nobody keeps a copy. */
export interface AccessStore {
  /** The highest role that one of these has in a project; undefined: none, or there is no such project. */
  roleOf(project: string, subjects: readonly Subject[]): Promise<ProjectRole | undefined>
  /** The projects in which one of these has a role, each with the highest. */
  rolesOf(subjects: readonly Subject[]): Promise<Map<string, ProjectRole>>
  /** By kind and id. Empty when there is no such project. */
  members(project: string): Promise<Member[]>
  /** Adds a member, or replaces role and name of one. Rejects with `project_not_found`. */
  setMember(member: Member): Promise<void>
  /** Idempotent. */
  removeMember(project: string, subject: Subject): Promise<void>
}
