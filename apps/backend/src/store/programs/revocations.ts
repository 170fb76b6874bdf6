import type { ProjectRole, Subject } from '@berth/contract'
import { type Revoked, subjectKey } from '../key-store.ts'
import type { Programs } from '../operations.ts'
import { type Program, query, sql } from '../query.ts'
import { revoke } from './keys.ts'
import { forgetGroups } from './known-groups.ts'
import { anyAdmin, lockProject, removeEverywhere } from './members.ts'

const queries = {
  at: query<{ subject: string }>()(({ subject }) =>
    sql.selectFrom('revocations').select('at').where('subject', '=', subject),
  ),
  note: query<{ subject: string; at: number }>()(({ subject, at }) =>
    sql
      .insertInto('revocations')
      .values({ subject, at })
      .onConflict((conflict) =>
        conflict.column('subject').doUpdateSet({ at }).where('revocations.at', '<', at),
      ),
  ),
  memberships: query<{ subject: string }>()(({ subject }) =>
    sql.selectFrom('members').select(['project', 'role']).where('subject', '=', subject).orderBy('project'),
  ),
  keysBy: query<{ creator: string }>()(({ creator }) =>
    sql
      .selectFrom('keys')
      .select(['project', 'id', 'name'])
      .where('creator', '=', creator)
      .where('revoked_at', 'is', null)
      .orderBy('id'),
  ),
  keyOf: query<{ subject: string }>()(({ subject }) =>
    sql
      .selectFrom('keys')
      .select(['project', 'id', 'name'])
      .where('subject', '=', subject)
      .where('revoked_at', 'is', null),
  ),
  browsers: query<{ user: string }>()(({ user }) =>
    sql.deleteFrom('browser_sessions').where('user_id', '=', user),
  ),
  grants: query<{ subject: string }>()(({ subject }) =>
    sql.deleteFrom('grants').where('subject', '=', subject),
  ),
}

/** What takes everything from somebody. */
export const revocationPrograms: Pick<Programs, 'revokeSubject'> = {
  *revokeSubject({ subject, keys, now }) {
    const name = subjectKey(subject)
    yield* queries.note.run({ subject: name, at: now })
    const memberships = yield* queries.memberships.all({ subject: name })
    for (const { project } of memberships) yield* lockProject(project)
    const revoked = [
      ...(yield* queries.keyOf.all({ subject: name })),
      ...(keys ? yield* queries.keysBy.all({ creator: name }) : []),
    ]
    for (const { project, id } of revoked) yield* revoke({ project, id, now })
    yield* removeEverywhere(subject)
    yield* forgetGroups(subject)
    const links = yield* queries.grants.run({ subject: name })
    const browsers = subject.kind === 'user' ? yield* queries.browsers.run({ user: subject.id }) : 0
    const sessions = links + browsers
    const withoutAdmin = subject.kind === 'key' ? [] : yield* leftAlone(memberships)
    const value: Revoked = { memberships, keys: revoked, sessions, withoutAdmin }
    return {
      value,
      details: { ...value, memberships: memberships.length, projects: memberships.slice(0, 50) },
    }
  },
}

function* leftAlone(memberships: { project: string; role: ProjectRole }[]): Program<string[]> {
  const projects: string[] = []
  for (const { project, role } of memberships)
    if (role === 'admin' && !(yield* anyAdmin(project))) projects.push(project)
  return projects
}

export function* revokedBefore(subject: Subject): Program<number | undefined> {
  return (yield* queries.at.get({ subject: subjectKey(subject) }))?.at
}
