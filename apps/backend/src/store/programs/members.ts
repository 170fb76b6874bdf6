import { BerthError, highestRole, limits, memberKinds, type ProjectRole, type Subject } from '@berth/contract'
import { type AdminGuard, type Member, maxSubjects } from '../access-store.ts'
import { subjectKey } from '../key-store.ts'
import type { ProjectState } from '../lifecycle-store.ts'
import type { Programs } from '../operations.ts'
import { type Program, type Query, query, sql } from '../query.ts'
import type { Tables } from '../schema.ts'
import { projectNotFound } from './revision.ts'

const subjectOf = (key: string): Subject => {
  const at = key.indexOf(':')
  const kind = memberKinds.find((known) => known === key.slice(0, at))
  if (kind === undefined) throw new Error(`A member of an unknown kind: ${key}`)
  return { kind, id: key.slice(at + 1) }
}

const queries = {
  lock: query<{ name: string }>()(({ name }) =>
    sql.selectFrom('projects').select('name').where('name', '=', name).forNoKeyUpdate(),
  ),
  set: query<Tables['members']>()(({ project, subject, role, name, added_at, added_by }) =>
    sql
      .insertInto('members')
      .values({ project, subject, role, name, added_at, added_by })
      .onConflict((conflict) => conflict.columns(['project', 'subject']).doUpdateSet({ role, name })),
  ),
  remove: query<{ project: string; subject: string }>()(({ project, subject }) =>
    sql.deleteFrom('members').where('project', '=', project).where('subject', '=', subject),
  ),
  removeAll: query<{ subject: string }>()(({ subject }) =>
    sql.deleteFrom('members').where('subject', '=', subject),
  ),
  member: query<{ project: string; subject: string }>()(({ project, subject }) =>
    sql.selectFrom('members').selectAll().where('project', '=', project).where('subject', '=', subject),
  ),
  count: query<{ project: string }>()(({ project }) =>
    sql
      .selectFrom('members')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where('project', '=', project),
  ),
  admins: query<{ project: string }>()(({ project }) =>
    sql.selectFrom('members').select('subject').where('project', '=', project).where('role', '=', 'admin'),
  ),
  ofProject: query<{ project: string }>()(({ project }) =>
    sql.selectFrom('members').selectAll().where('project', '=', project).orderBy('subject'),
  ),
}

/** The statement for as many names: prepared once for each power of two, and filled up by repeating the last. */
const forSubjects = <R>(build: (names: string[]) => Query<Record<string, string>, R>) => {
  const known = new Map<number, Query<Record<string, string>, R>>()
  return (subjects: readonly Subject[], more: Record<string, string> = {}): Program<R[]> => {
    if (subjects.length > maxSubjects) throw new Error(`A principal with ${subjects.length} names`)
    const size = 2 ** Math.ceil(Math.log2(subjects.length))
    const names = Array.from({ length: size }, (_, index) => `subject${index}`)
    const found = known.get(size) ?? build(names)
    known.set(size, found)
    const keys = names.map((name, index) => [
      name,
      subjectKey(subjects[Math.min(index, subjects.length - 1)] as Subject),
    ])
    return found.all({ ...Object.fromEntries(keys), ...more })
  }
}

const rolesInProject = forSubjects((names) =>
  query<Record<string, string>>()((values) =>
    sql
      .selectFrom('members')
      .innerJoin('projects', 'projects.name', 'members.project')
      .select('role')
      .where('project', '=', values.project as string)
      .where('projects.state', '<>', values.except as ProjectState)
      .where(
        'subject',
        'in',
        names.map((name) => values[name] as string),
      ),
  ),
)

const rolesAnywhere = forSubjects((names) =>
  query<Record<string, string>>()((values) =>
    sql
      .selectFrom('members')
      .innerJoin('projects', 'projects.name', 'members.project')
      .select(['project', 'role'])
      .where('projects.state', '<>', 'deleting')
      .where(
        'subject',
        'in',
        names.map((name) => values[name] as string),
      ),
  ),
)

export function* roleOf(
  project: string,
  subjects: readonly Subject[],
  { deleting = false }: { deleting?: boolean } = {},
): Program<ProjectRole | undefined> {
  if (subjects.length === 0) return undefined
  const rows = yield* rolesInProject(subjects, { project, except: deleting ? '' : 'deleting' })
  return highestRole(rows.map(({ role }) => role))
}

export function* rolesOf(subjects: readonly Subject[]): Program<Map<string, ProjectRole>> {
  const roles = new Map<string, ProjectRole>()
  if (subjects.length === 0) return roles
  for (const { project, role } of yield* rolesAnywhere(subjects)) {
    const before = roles.get(project)
    roles.set(project, before === undefined ? role : (highestRole([before, role]) ?? role))
  }
  return roles
}

export function* members(project: string): Program<Member[]> {
  return (yield* queries.ofProject.all({ project })).map(memberOf)
}

const memberOf = (row: Tables['members']): Member => ({
  ...subjectOf(row.subject),
  project: row.project,
  role: row.role,
  name: row.name ?? undefined,
  addedAt: row.added_at,
  addedBy: JSON.parse(row.added_by),
})

/** What changes who is a member. */
export const memberPrograms: Pick<Programs, 'setMember' | 'removeMember'> = {
  *setMember({ member, guard }) {
    yield* lockProject(member.project)
    const before = yield* roleBefore(member.project, member)
    if (before === 'admin' && member.role !== 'admin') yield* guardAdmin(member.project, member, guard)
    return { value: yield* addMember(member), details: { role: member.role, before } }
  },
  *removeMember({ project, subject, guard }) {
    yield* lockProject(project)
    const before = yield* roleBefore(project, subject)
    if (before === 'admin') yield* guardAdmin(project, subject, guard)
    yield* queries.remove.run({ project, subject: subjectKey(subject) })
    return { value: before !== undefined, details: { before } }
  },
}

/** Rejects with `project_not_found`. Whoever changes members waits here for whoever does so already. */
export function* lockProject(name: string): Program<void> {
  if ((yield* queries.lock.get({ name })) === undefined) throw projectNotFound(name)
}

/** Adds a member, or replaces role and name of one. The project is locked. */
export function* addMember(member: Member): Program<Member> {
  const { project, role, name = null, addedAt, addedBy } = member
  const subject = subjectKey(member)
  if ((yield* queries.member.get({ project, subject })) === undefined) {
    const { count = 0 } = (yield* queries.count.get({ project })) ?? {}
    if (count >= limits.members)
      throw new BerthError(
        'too_many_members',
        `The project ${project} has ${count} members. Remove some, or add a group in their place.`,
      )
  }
  const row = { project, subject, role, name, added_at: addedAt }
  yield* queries.set.run({ ...row, added_by: JSON.stringify(addedBy) })
  const stored = yield* queries.member.get({ project, subject })
  if (stored === undefined) throw new Error(`The member ${subject} was not stored`)
  return memberOf(stored)
}

/** Takes every membership from a name. */
export function* removeEverywhere(subject: Subject): Program<void> {
  yield* queries.removeAll.run({ subject: subjectKey(subject) })
}

/** Whether a project has an admin that is no API key. */
export function* anyAdmin(project: string, but: Subject | undefined = undefined): Program<boolean> {
  const others = yield* queries.admins.all({ project })
  const except = but === undefined ? undefined : subjectKey(but)
  return others.some(({ subject }) => subject !== except && !subject.startsWith('key:'))
}

function* roleBefore(project: string, subject: Subject): Program<ProjectRole | undefined> {
  return (yield* queries.member.get({ project, subject: subjectKey(subject) }))?.role
}

/** Somebody who is an admin is to be none any more. */
function* guardAdmin(project: string, subject: Subject, { force, sparesAdmins }: AdminGuard): Program<void> {
  if (sparesAdmins === true)
    throw new BerthError('forbidden', 'An API key can’t change who is an admin. Ask a person who is one.')
  if (force === true || subject.kind === 'key' || (yield* anyAdmin(project, subject))) return
  throw new BerthError(
    'last_admin',
    `${subject.kind} ${subject.id} is the last admin of ${project}. Make somebody else one first.`,
  )
}
