import { limits, type Subject } from '@berth/contract'
import { subjectKey } from '../key-store.ts'
import type { Programs } from '../operations.ts'
import { type Program, query, sql } from '../query.ts'

const dayMs = 86_400_000

const queries = {
  groups: query<{ subject: string }>()(({ subject }) =>
    sql.selectFrom('known_groups').select(['groups', 'seen_at']).where('subject', '=', subject),
  ),
  set: query<{ subject: string; groups: string; at: number }>()(({ subject, groups, at }) =>
    sql
      .insertInto('known_groups')
      .values({ subject, groups, seen_at: at })
      .onConflict((conflict) => conflict.column('subject').doUpdateSet({ groups, seen_at: at })),
  ),
  renew: query<{ subject: string; groups: string }>()(({ subject, groups }) =>
    sql.updateTable('known_groups').set({ groups }).where('subject', '=', subject),
  ),
  remove: query<{ subject: string }>()(({ subject }) =>
    sql.deleteFrom('known_groups').where('subject', '=', subject),
  ),
  expire: query<{ until: number }>()(({ until }) =>
    sql.deleteFrom('known_groups').where('seen_at', '<=', until),
  ),
}

/** What notes the groups of whoever sends something. */
export const knownGroupPrograms: Pick<Programs, 'noteGroups'> = {
  *noteGroups({ subject, groups, now }) {
    const row = { subject: subjectKey(subject), groups: JSON.stringify(groups) }
    const known = yield* queries.groups.get(row)
    if (groups.length === 0) {
      if (known !== undefined) yield* queries.remove.run(row)
    } else if (known?.groups !== row.groups || known.seen_at <= now - dayMs)
      yield* queries.set.run({ ...row, at: now })
    return { value: undefined }
  },
}

export function* groupsOf(subject: Subject): Program<string[]> {
  const row = yield* queries.groups.get({ subject: subjectKey(subject) })
  return row === undefined ? [] : JSON.parse(row.groups)
}

/** Somebody whose groups are kept has others now. */
export function* renewGroups(subject: Subject, groups: readonly string[]): Program<void> {
  yield* queries.renew.run({ subject: subjectKey(subject), groups: JSON.stringify(groups) })
}

export function* forgetGroups(subject: Subject): Program<void> {
  yield* queries.remove.run({ subject: subjectKey(subject) })
}

export function* expireGroups(now: number): Program<void> {
  yield* queries.expire.run({ until: now - limits.knownGroupDays * dayMs })
}
