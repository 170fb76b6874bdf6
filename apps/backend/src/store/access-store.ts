import type { Actor, ProjectRole, SessionAccess, Subject } from '@berth/contract'
import type { KeyStore } from './key-store.ts'

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

/** How the admins of a project are kept when one of them is changed. */
export interface AdminGuard {
  /** Also the last one goes. Default: that is refused with `last_admin`; API keys don't count as admins here. */
  force?: boolean
  /** Whoever asks may not change admins at all: `forbidden`. Default: false. */
  sparesAdmins?: boolean
}

/** Names under which one principal may be a member; more are refused where principals are made. */
export const maxSubjects = 256

/** Who may do what; part of the store's port. What it says counts at once, for every backend: nobody keeps a copy. */
export interface AccessStore extends KeyStore {
  /**
   * The highest role that one of these has in a project; undefined: none, or there is no such project. With `deleting` also in
   * one that is being deleted.
   */
  roleOf(
    project: string,
    subjects: readonly Subject[],
    also?: { deleting?: boolean },
  ): Promise<ProjectRole | undefined>
  /** The projects in which one of these has a role, each with the highest. */
  rolesOf(subjects: readonly Subject[]): Promise<Map<string, ProjectRole>>
  /** What decides who sees a session. Undefined: there is no such session in that project. */
  sessionAccess(project: string, session: string): Promise<SessionAccess | undefined>
  /** By kind and id. Empty when there is no such project. */
  members(project: string): Promise<Member[]>
  /**
   * Adds a member, or replaces role and name of one; gives it as it stands then. Rejects with `project_not_found`, `too_many_members`
   * (more than `limits.members`) and `last_admin`: of two that lower or remove the last two admins at once, one is refused.
   */
  setMember(member: Member, guard?: AdminGuard): Promise<Member>
  /** False: there was none. Rejects with `project_not_found` and `last_admin`. */
  removeMember(project: string, subject: Subject, guard?: AdminGuard): Promise<boolean>
  /**
   * Keeps the groups in which somebody was seen last, for `limits.knownGroupDays`; without any, forgets them. Later sign-ins of the
   * same user replace what is kept, and `revokeSubject` removes it.
   */
  noteGroups(seen: { subject: Subject; groups: readonly string[]; now: number }): Promise<void>
  /** The groups that are kept. They give nothing by themselves: what role they have is asked with `roleOf`. */
  groupsOf(subject: Subject): Promise<string[]>
}
