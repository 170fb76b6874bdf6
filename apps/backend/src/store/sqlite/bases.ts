import type { DatabaseSync } from 'node:sqlite'
import { BerthError, type BlobRef } from '@berth/contract'
import type { BaseRow } from '../port.ts'
import type { Handlers } from './protocol.ts'
import { queriesOf, sql } from './query.ts'

/** Bases that are removed at once. */
const batch = 100

export const baseOf = ({ scope, parts }: { scope: string; parts: string | null }): BaseRow => ({
  scope,
  parts: parts === null ? undefined : (JSON.parse(parts) as BlobRef[]),
})

export const selectBase = ({ project, key }: { project: string; key: string }) =>
  sql.selectFrom('bases').select(['scope', 'parts']).where('project', '=', project).where('key', '=', key)

const baseQueries = (database: DatabaseSync) => {
  const query = queriesOf(database)
  const unused = () =>
    sql
      .selectFrom('bases')
      .select('bases.scope')
      .leftJoin('base_uses', 'base_uses.scope', 'bases.scope')
      .where('base_uses.scope', 'is', null)
  return {
    session: query<{ session: string }>()(({ session }) =>
      sql.selectFrom('sessions').select(['number', 'project']).where('id', '=', session),
    ),
    find: query<{ project: string; key: string }>()(selectBase),
    make: query<{ project: string; key: string; scope: string }>()(({ project, key, scope }) =>
      sql.insertInto('bases').values({ project, key, scope, parts: null, idle_since: null }),
    ),
    awake: query<{ scope: string }>()(({ scope }) =>
      sql.updateTable('bases').set({ idle_since: null }).where('scope', '=', scope),
    ),
    use: query<{ number: number; scope: string }>()(({ number, scope }) =>
      sql
        .insertInto('base_uses')
        .values({ session: number, scope })
        .onConflict((conflict) => conflict.doNothing()),
    ),
    uses: query<{ number: number }>()(({ number }) =>
      sql.selectFrom('base_uses').select('scope').where('session', '=', number),
    ),
    complete: query<{ project: string; key: string; parts: string }>()(({ project, key, parts }) =>
      sql
        .updateTable('bases')
        .set({ parts })
        .where('project', '=', project)
        .where('key', '=', key)
        .where('parts', 'is', null),
    ),
    unused: query<{ before: number }>()(({ before }) =>
      unused().where('idle_since', '<', before).limit(batch),
    ),
    idle: query<{ now: number }>()(({ now }) =>
      sql
        .updateTable('bases')
        .set({ idle_since: now })
        .where('idle_since', 'is', null)
        .where('scope', 'in', unused()),
    ),
    remove: query<{ scope: string }>()(({ scope }) => sql.deleteFrom('bases').where('scope', '=', scope)),
  }
}

type BaseOperation = 'useBase' | 'makeBase' | 'shareBases' | 'completeBase' | 'dropBases'

/** What changes base packs. */
export const baseHandlers = (database: DatabaseSync): Pick<Handlers, BaseOperation> => {
  const queries = baseQueries(database)
  const sessionOf = (session: string) => {
    const row = queries.session.get({ session })
    if (row === undefined) throw new BerthError('session_not_found', `There is no session ${session}.`)
    return row
  }
  const use = (number: number, scope: string) => {
    queries.use.run({ number, scope })
    queries.awake.run({ scope })
  }
  return {
    useBase: ({ session, key, scope }) => {
      const { number, project } = sessionOf(session)
      const known = queries.find.get({ project, key })
      if (known === undefined) queries.make.run({ project, key, scope })
      use(number, known?.scope ?? scope)
      return { value: baseOf(known ?? { scope, parts: null }) }
    },
    makeBase: ({ project, key, scope }) => {
      const known = queries.find.get({ project, key })
      if (known === undefined) queries.make.run({ project, key, scope })
      return { value: baseOf(known ?? { scope, parts: null }) }
    },
    shareBases: ({ from, to }) => {
      const { number } = sessionOf(to)
      for (const { scope } of queries.uses.all({ number: sessionOf(from).number })) use(number, scope)
      return { value: undefined }
    },
    completeBase: ({ project, key, parts }) => {
      queries.complete.run({ project, key, parts: JSON.stringify(parts) })
      const row = queries.find.get({ project, key })
      return { value: row === undefined ? undefined : baseOf(row) }
    },
    dropBases: ({ now, before }) => {
      const scopes = queries.unused.all({ before }).map(({ scope }) => scope)
      for (const scope of scopes) queries.remove.run({ scope })
      queries.idle.run({ now })
      return { value: scopes }
    },
  }
}
