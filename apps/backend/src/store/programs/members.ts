import { highestRole, memberKinds, type ProjectRole, type Subject } from '@berth/contract'
import { type Member, maxSubjects } from '../access-store.ts'
import type { Programs } from '../operations.ts'
import { type Program, type Query, query, sql } from '../query.ts'
import type { Tables } from '../schema.ts'
import { projectNotFound } from './revision.ts'

/** As the table has it; no kind has a colon. */
const keyOf = ({ kind, id }: Subject): string => `${kind}:${id}`

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
      keyOf(subjects[Math.min(index, subjects.length - 1)] as Subject),
    ])
    return found.all({ ...Object.fromEntries(keys), ...more })
  }
}

const rolesInProject = forSubjects((names) =>
  query<Record<string, string>>()((values) =>
    sql
      .selectFrom('members')
      .select('role')
      .where('project', '=', values.project as string)
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
      .select(['project', 'role'])
      .where(
        'subject',
        'in',
        names.map((name) => values[name] as string),
      ),
  ),
)

export function* roleOf(project: string, subjects: readonly Subject[]): Program<ProjectRole | undefined> {
  if (subjects.length === 0) return undefined
  const rows = yield* rolesInProject(subjects, { project })
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
  const rows = yield* queries.ofProject.all({ project })
  return rows.map(({ subject, role, name, added_at, added_by }) => ({
    ...subjectOf(subject),
    project,
    role,
    name: name ?? undefined,
    addedAt: added_at,
    addedBy: JSON.parse(added_by),
  }))
}

/** What changes who is a member. */
export const memberPrograms: Pick<Programs, 'setMember' | 'removeMember'> = {
  *setMember(member) {
    const { project, role, name = null, addedAt, addedBy } = member
    if ((yield* queries.lock.get({ name: project })) === undefined) throw projectNotFound(project)
    const row = { project, subject: keyOf(member), role, name, added_at: addedAt }
    yield* queries.set.run({ ...row, added_by: JSON.stringify(addedBy) })
    return { value: undefined }
  },
  *removeMember({ project, subject }) {
    yield* queries.remove.run({ project, subject: keyOf(subject) })
    return { value: undefined }
  },
}
