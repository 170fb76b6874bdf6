import { BerthError } from '@berth/contract'
import { type Program, query, sql } from '../query.ts'

const bump = query<{ name: string }>()(({ name }) =>
  sql
    .updateTable('projects')
    .set(({ eb }) => ({ revision: eb('revision', '+', 1) }))
    .where('name', '=', name)
    .returning('revision'),
)

/** Takes the next revision of a project. Rejects with `project_not_found`. */
export function* nextRevision(name: string): Program<number> {
  const row = yield* bump.get({ name })
  if (row === undefined) throw projectNotFound(name)
  return row.revision
}

export const projectNotFound = (name: string) =>
  new BerthError('project_not_found', `There is no project ${name}.`)
