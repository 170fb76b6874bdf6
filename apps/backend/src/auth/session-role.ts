import {
  highestRole,
  includesRole,
  type ProjectRole,
  type SessionAccess,
  type Subject,
} from '@berth/contract'

/** Somebody who reads in a project: the role there, and the names under which a session may be theirs. */
export interface Reader {
  role: ProjectRole
  subjects: readonly Subject[]
}

/** Who gets to know of something: those who see the session by `seenBy`, but for those who still do by `keptBy`. */
export interface Audience {
  seenBy: SessionAccess
  keptBy?: SessionAccess
}

/** Whether somebody is among these. */
export const isOneOf = (subjects: readonly Subject[], { kind, id }: { kind: string; id: string }): boolean =>
  subjects.some((subject) => subject.kind === kind && subject.id === id)

/**
 * What somebody may do with a session: their role in its project at most, and nothing with one that is private and neither
 * theirs nor shared with them. Undefined: the session is not theirs to know.
 */
export const sessionRole = (
  { role, subjects }: { role: ProjectRole | undefined; subjects: readonly Subject[] },
  { owner, visibility, shares }: SessionAccess,
): ProjectRole | undefined => {
  if (role === undefined || role === 'admin' || visibility === 'project') return role
  if (isOneOf(subjects, owner)) return role
  const given = highestRole(shares.filter((share) => isOneOf(subjects, share)).map((share) => share.role))
  if (given === undefined) return undefined
  return includesRole(role, given) ? given : role
}

/** Whether somebody belongs to an audience; without one, everybody in the project does. */
export const isFor = (reader: Reader, audience: Audience | undefined): boolean => {
  if (audience === undefined) return true
  const { seenBy, keptBy } = audience
  if (sessionRole(reader, seenBy) === undefined) return false
  return keptBy === undefined || sessionRole(reader, keptBy) === undefined
}
