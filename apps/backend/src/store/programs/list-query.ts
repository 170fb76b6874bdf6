import { sql as raw } from 'kysely'
import { decodeCursor } from '../cursor.ts'
import { foldText } from '../fold-text.ts'
import type { Page, SessionFilter } from '../port.ts'
import { sql } from '../query.ts'
import { seenBy } from './seen-by.ts'

/** One row more than the page holds, newest first, so that the caller sees whether there is a next one. */
export const selectList = (project: string, filter: SessionFilter, { limit, cursor }: Page) => {
  let query = sql
    .selectFrom('sessions')
    .select(['id', 'created_at', 'summary'])
    .where('project', '=', project)
    .where('deleted', '=', filter.deleted ? 1 : 0)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1)
  const { phases, owner, labels, text, reader } = filter
  if (reader !== undefined) query = query.where(seenBy(reader))
  if (phases !== undefined) query = query.where('phase', 'in', phases)
  if (owner !== undefined) query = query.where('owner_id', '=', owner)
  // Without the text it is another title: SQLite and PostgreSQL have different functions to find a text in a text.
  if (text !== undefined && text !== '')
    query = query.where(raw<boolean>`replace(title_folded, ${foldText(text)}, '') <> title_folded`)
  for (const { key, value } of labels ?? [])
    query = query.where(({ exists, selectFrom }) => {
      const label = selectFrom('labels')
        .select('labels.key')
        .whereRef('labels.session', '=', 'sessions.number')
        .where('labels.key', '=', key)
      return exists(value === undefined ? label : label.where('labels.value', '=', value))
    })
  if (cursor !== undefined) {
    const [createdAt, id] = decodeCursor(cursor, ['number', 'string'])
    query = query.where(({ eb, refTuple, tuple }) =>
      eb(refTuple('created_at', 'id'), '<', tuple(Number(createdAt), String(id))),
    )
  }
  return query
}
