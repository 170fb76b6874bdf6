import { z } from 'zod'

/** What may be a member of a project: a person, a group of people, an API key, or a program with an identity of its own. */
export const memberKinds = ['user', 'group', 'key', 'service'] as const
export type MemberKind = (typeof memberKinds)[number]

/** A name under which somebody may be a member: their own, or that of a group. */
export const subject = z.object({ kind: z.enum(memberKinds), id: z.string().min(1).max(200) })

export type Subject = z.infer<typeof subject>

/** As which a user is known: names that are an email address in lower case, however they were written; others as they are. */
export const userIdOf = (id: string): string => (/^[^\s:@]+@[^\s:@]+$/.test(id) ? id.toLowerCase() : id)

/** The same subject under the id as which it signs in. */
export const knownSubject = <S extends Subject>(given: S): S =>
  given.kind === 'user' ? { ...given, id: userIdOf(given.id) } : given

/** A role in a project, each including the ones before it. */
export const projectRoles = ['viewer', 'editor', 'admin'] as const
export type ProjectRole = (typeof projectRoles)[number]

/** The highest of some roles; undefined: there is none. */
export const highestRole = (roles: readonly ProjectRole[]): ProjectRole | undefined =>
  projectRoles.findLast((role) => roles.includes(role))

/** Whether a role is enough where another one is needed. */
export const includesRole = (actual: ProjectRole, needed: ProjectRole): boolean =>
  projectRoles.indexOf(actual) >= projectRoles.indexOf(needed)
