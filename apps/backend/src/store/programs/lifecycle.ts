import { BerthError } from '@berth/contract'
import type { DeletionRow, ProjectState } from '../lifecycle-store.ts'
import type { Programs } from '../operations.ts'
import type { ProjectRow } from '../port.ts'
import { type Program, query, sql } from '../query.ts'
import { project } from './projects.ts'
import { projectNotFound } from './revision.ts'

const queries = {
  state: query<{ name: string }>()(({ name }) =>
    sql.selectFrom('projects').select('state').where('name', '=', name),
  ),
  deletion: query<{ name: string }>()(({ name }) =>
    sql.selectFrom('projects').select('deletion').where('name', '=', name),
  ),
  lock: query<{ name: string }>()(({ name }) =>
    sql.selectFrom('projects').select(['state', 'deletion', 'revision']).where('name', '=', name).forUpdate(),
  ),
  setState: query<{ name: string; state: ProjectState; now: number }>()(({ name, state, now }) =>
    sql
      .updateTable('projects')
      .set(({ eb }) => ({ state, updated_at: now, version: eb('version', '+', 1) }))
      .where('name', '=', name),
  ),
  setDeletion: query<{ name: string; deletion: string }>()(({ name, deletion }) =>
    sql.updateTable('projects').set({ state: 'deleting', deletion }).where('name', '=', name),
  ),
  count: query<{ name: string }>()(({ name }) =>
    sql
      .selectFrom('sessions')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where('project', '=', name),
  ),
  sessions: query<{ name: string; after: string; limit: number }>()(({ name, after, limit }) =>
    sql
      .selectFrom('sessions')
      .select('id')
      .where('project', '=', name)
      .where('id', '>', after)
      .orderBy('id')
      .limit(limit),
  ),
  running: query<{ name: string; after: string; limit: number }>()(({ name, after, limit }) =>
    sql
      .selectFrom('sessions')
      .select('id')
      .where('project', '=', name)
      .where('room', 'is not', null)
      .where('id', '>', after)
      .orderBy('id')
      .limit(limit),
  ),
  unsettled: query<object>()(() =>
    sql
      .selectFrom('projects')
      .select(['name', 'state'])
      .where(({ or, eb, and, exists, selectFrom }) =>
        or([
          eb('state', '=', 'deleting'),
          and([
            eb('state', '=', 'archived'),
            exists(
              selectFrom('sessions')
                .select('sessions.number')
                .whereRef('sessions.project', '=', 'projects.name')
                .where('sessions.room', 'is not', null),
            ),
          ]),
        ]),
      )
      .orderBy('name'),
  ),
  bases: query<{ name: string; limit: number }>()(({ name, limit }) =>
    sql.selectFrom('bases').select('scope').where('project', '=', name).orderBy('scope').limit(limit),
  ),
  removeBase: query<{ scope: string }>()(({ scope }) => sql.deleteFrom('bases').where('scope', '=', scope)),
  remove: query<{ name: string }>()(({ name }) => sql.deleteFrom('projects').where('name', '=', name)),
  remember: query<{ name: string; revision: number }>()(({ name, revision }) =>
    sql
      .insertInto('former_projects')
      .values({ name, revision })
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ revision })),
  ),
}

const parse = (text: string | null | undefined): DeletionRow | undefined =>
  text === null || text === undefined ? undefined : JSON.parse(text)

/** Locked, so that of two changes the second sees the first. Rejects for one that is being deleted. */
function* findOpen(name: string): Program<void> {
  const row = yield* queries.lock.get({ name })
  if (row === undefined || row.state === 'deleting') throw projectNotFound(name)
}

/** What changes the life of projects. */
export const lifecyclePrograms: Pick<
  Programs,
  'setArchived' | 'beginDeletion' | 'setDeletionStep' | 'finishDeletion' | 'removeBase'
> = {
  *setArchived({ project: name, archived, now }) {
    yield* findOpen(name)
    const state = archived ? 'archived' : 'active'
    if ((yield* projectState(name)) !== state) yield* queries.setState.run({ name, state, now })
    return { value: yield* found(name) }
  },
  *beginDeletion({ project: name, by, now }) {
    const row = yield* queries.lock.get({ name })
    if (row === undefined) throw projectNotFound(name)
    const known = parse(row.deletion)
    if (known !== undefined) return { value: known }
    const sessions = yield* countSessions(name)
    const value: DeletionRow = { project: name, since: now, by, step: 'sessions', sessions }
    yield* queries.setDeletion.run({ name, deletion: JSON.stringify(value) })
    return { value }
  },
  *setDeletionStep({ project: name, step }) {
    const known = parse((yield* queries.lock.get({ name }))?.deletion)
    if (known !== undefined)
      yield* queries.setDeletion.run({ name, deletion: JSON.stringify({ ...known, step }) })
    return { value: undefined }
  },
  *finishDeletion({ project: name }) {
    const row = yield* queries.lock.get({ name })
    if (row === undefined || row.state !== 'deleting') return { value: undefined }
    if ((yield* countSessions(name)) > 0)
      throw new BerthError('unavailable', `Sessions of the project ${name} are still there.`)
    yield* queries.remember.run({ name, revision: row.revision })
    yield* queries.remove.run({ name })
    return { value: undefined }
  },
  *removeBase({ scope }) {
    yield* queries.removeBase.run({ scope })
    return { value: undefined }
  },
}

function* found(name: string): Program<ProjectRow> {
  const row = yield* project(name)
  if (row === undefined) throw projectNotFound(name)
  return row
}

export function* projectState(name: string): Program<ProjectState | undefined> {
  return (yield* queries.state.get({ name }))?.state
}

export function* deletion(name: string): Program<DeletionRow | undefined> {
  return parse((yield* queries.deletion.get({ name }))?.deletion)
}

export function* unsettled(): Program<{ project: string; state: 'archived' | 'deleting' }[]> {
  const rows = yield* queries.unsettled.all({})
  return rows.map(({ name, state }) => ({
    project: name,
    state: state === 'deleting' ? 'deleting' : 'archived',
  }))
}

export function* sessionsOf(
  name: string,
  { after, limit, running = false }: { after: string; limit: number; running?: boolean },
): Program<string[]> {
  const rows = yield* (running ? queries.running : queries.sessions).all({ name, after, limit })
  return rows.map(({ id }) => id)
}

export function* countSessions(name: string): Program<number> {
  return (yield* queries.count.get({ name }))?.count ?? 0
}

export function* basesOf(name: string, limit: number): Program<string[]> {
  return (yield* queries.bases.all({ name, limit })).map(({ scope }) => scope)
}
