import type { DatabaseSync } from 'node:sqlite'
import { BerthError } from '@berth/contract'
import { queriesOf, sql } from './query.ts'

/** Takes the next revision of a project. Rejects with `project_not_found`. */
export const bumpRevision = (database: DatabaseSync): ((project: string) => number) => {
  const bump = queriesOf(database)<{ name: string }>()(({ name }) =>
    sql
      .updateTable('projects')
      .set(({ eb }) => ({ revision: eb('revision', '+', 1) }))
      .where('name', '=', name)
      .returning('revision'),
  )
  return (name) => {
    const row = bump.get({ name })
    if (row === undefined) throw projectNotFound(name)
    return row.revision
  }
}

export const projectNotFound = (name: string) =>
  new BerthError('project_not_found', `There is no project ${name}.`)
