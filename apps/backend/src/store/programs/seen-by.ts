import type { Subject } from '@berth/contract'
import { type RawBuilder, sql as raw } from 'kysely'
import type { Reader } from '../../auth/session-role.ts'

const no = raw<boolean>`1 = 0`
const any = (conditions: RawBuilder<boolean>[]): RawBuilder<boolean> =>
  conditions.length === 0 ? no : raw<boolean>`(${raw.join(conditions, raw` OR `)})`

/**
 * Whether a list of shares names one of these. The list is JSON as we write it, in which the beginning of a share stands for
 * nothing else: inside of a text its quotes would be escaped.
 */
const sharedWith = (list: RawBuilder<unknown>, subjects: readonly Subject[]): RawBuilder<boolean> => {
  const named = subjects.map(({ kind, id }) => {
    const beginning = JSON.stringify({ kind, id }).replace(/\}$/, ',')
    return raw<boolean>`replace(${list}, ${beginning}, '') <> ${list}`
  })
  return any(named)
}

const ownedBy = (table: string, subjects: readonly Subject[]): RawBuilder<boolean> => {
  const column = (name: string) => raw.ref(`${table}.${name}`)
  const own = subjects.filter(({ kind }) => kind !== 'group')
  return any(
    own.map(
      ({ kind, id }) => raw<boolean>`(${column('owner_kind')} = ${kind} AND ${column('owner_id')} = ${id})`,
    ),
  )
}

/** The rule of `sessionRole` in SQL: whether somebody who is no admin sees the session of a row of the table. */
export const visibleTo = (
  table: 'sessions' | 'tombstones',
  subjects: readonly Subject[],
): RawBuilder<boolean> => {
  const column = (name: string) => raw.ref(`${table}.${name}`)
  const shared = raw<boolean>`(${column('shares')} <> '[]' AND ${sharedWith(column('shares'), subjects)})`
  return any([raw<boolean>`${column('visibility')} = 'project'`, ownedBy(table, subjects), shared])
}

/** Whether somebody sees the session of a row. */
export const seenBy = ({ role, subjects }: Reader): RawBuilder<boolean> =>
  role === 'admin' ? raw<boolean>`1 = 1` : visibleTo('sessions', subjects)

/** The rule of `isFor` in SQL, for tombstones. */
export const buriedFor = ({ role, subjects }: Reader): RawBuilder<boolean> => {
  const kept = raw.ref('tombstones.kept')
  if (role === 'admin') return raw<boolean>`${kept} IS NULL`
  const still = any([ownedBy('tombstones', subjects), sharedWith(kept, subjects)])
  return raw<boolean>`(${visibleTo('tombstones', subjects)} AND (${kept} IS NULL OR NOT ${still}))`
}
