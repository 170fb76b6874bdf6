import { BerthError, type BlobRef } from '@berth/contract'
import type { Programs } from '../operations.ts'
import type { BaseRow } from '../port.ts'
import { type Program, query, rowsOf, sql } from '../query.ts'

/** Bases that are removed at once. */
const batch = 100

const baseOf = ({ scope, parts }: { scope: string; parts: string | null }): BaseRow => ({
  scope,
  parts: parts === null ? undefined : (JSON.parse(parts) as BlobRef[]),
})

const selectUnused = () =>
  sql
    .selectFrom('bases')
    .select('bases.scope')
    .leftJoin('base_uses', 'base_uses.scope', 'bases.scope')
    .where('base_uses.scope', 'is', null)

const queries = {
  session: query<{ session: string }>()(({ session }) =>
    sql.selectFrom('sessions').select(['number', 'project']).where('id', '=', session),
  ),
  find: query<{ project: string; key: string }>()(({ project, key }) =>
    sql.selectFrom('bases').select(['scope', 'parts']).where('project', '=', project).where('key', '=', key),
  ),
  make: query<{ project: string; key: string; scope: string }>()(({ project, key, scope }) =>
    sql
      .insertInto('bases')
      .values({ project, key, scope, parts: null, idle_since: null })
      .onConflict((conflict) => conflict.columns(['project', 'key']).doNothing()),
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
    sql.selectFrom('base_uses').select('scope').where('session', '=', number).orderBy('scope'),
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
    selectUnused().where('idle_since', '<', before).limit(batch),
  ),
  idle: query<{ now: number }>()(({ now }) =>
    sql
      .updateTable('bases')
      .set({ idle_since: now })
      .where('idle_since', 'is', null)
      .where('scope', 'in', selectUnused()),
  ),
  remove: query<{ scope: string }>()(({ scope }) => sql.deleteFrom('bases').where('scope', '=', scope)),
}

function* sessionOf(session: string): Program<{ number: number; project: string }> {
  const row = yield* queries.session.get({ session })
  if (row === undefined) throw new BerthError('session_not_found', `There is no session ${session}.`)
  return row
}

function* use(number: number, scope: string): Program<void> {
  yield* queries.awake.run({ scope })
  yield* queries.use.run({ number, scope })
}

function* findOrMake({ project, key, scope }: { project: string; key: string; scope: string }) {
  const known = yield* queries.find.get({ project, key })
  if (known !== undefined) return baseOf(known)
  yield* queries.make.run({ project, key, scope })
  // Somebody else may have been faster.
  return baseOf((yield* queries.find.get({ project, key })) ?? { scope, parts: null })
}

/** What changes base packs. */
export const basePrograms: Pick<
  Programs,
  'useBase' | 'makeBase' | 'shareBases' | 'completeBase' | 'dropBases'
> = {
  *useBase({ session, key, scope }) {
    const { number, project } = yield* sessionOf(session)
    const value = yield* findOrMake({ project, key, scope })
    yield* use(number, value.scope)
    return { value }
  },
  *makeBase(input) {
    return { value: yield* findOrMake(input) }
  },
  *shareBases({ from, to }) {
    const { number } = yield* sessionOf(to)
    for (const { scope } of yield* queries.uses.all({ number: (yield* sessionOf(from)).number }))
      yield* use(number, scope)
    return { value: undefined }
  },
  *completeBase({ project, key, parts }) {
    yield* queries.complete.run({ project, key, parts: JSON.stringify(parts) })
    return { value: yield* base(project, key) }
  },
  *dropBases({ now, before }) {
    const scopes = (yield* queries.unused.all({ before })).map(({ scope }) => scope)
    for (const scope of scopes) yield* queries.remove.run({ scope })
    yield* queries.idle.run({ now })
    return { value: scopes }
  },
}

export function* base(project: string, key: string): Program<BaseRow | undefined> {
  const row = yield* queries.find.get({ project, key })
  return row && baseOf(row)
}

/** Names that one statement looks for. */
const namesAtOnce = 500

export function* existingBases(scopes: string[]): Program<Set<string>> {
  const found = new Set<string>()
  for (let i = 0; i < scopes.length; i += namesAtOnce) {
    const some = scopes.slice(i, i + namesAtOnce)
    const rows = yield* rowsOf(sql.selectFrom('bases').select('scope').where('scope', 'in', some))
    for (const { scope } of rows) found.add(scope)
  }
  return found
}
