import { BerthError, memberKinds } from '@berth/contract'
import { type RawBuilder, sql as raw, type Selectable } from 'kysely'
import { decodeCursor, encodeCursor } from '../cursor.ts'
import { subjectKey } from '../key-store.ts'
import type { Programs } from '../operations.ts'
import type { Page, ProjectEdit, ProjectFilter, ProjectRow, Viewer } from '../port.ts'
import { type Program, query, rowsOf, sql } from '../query.ts'
import type { Tables } from '../schema.ts'
import { addMember } from './members.ts'
import { projectNotFound } from './revision.ts'
import { visibleTo } from './seen-by.ts'

/** A project with the count of its sessions that aren't deleted, of those that somebody sees. */
const selectProject = (viewer?: Viewer) =>
  sql
    .selectFrom('projects')
    .selectAll()
    .select(({ selectFrom }) => {
      const counted = selectFrom('sessions')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .whereRef('sessions.project', '=', 'projects.name')
        .where('sessions.deleted', '=', 0)
      const seen = viewer === undefined ? counted : counted.where(countedFor(viewer))
      return seen.as('sessions')
    })

/** An admin of the project sees all of its sessions. */
const countedFor = ({ subjects }: Viewer): RawBuilder<boolean> => {
  if (subjects.length === 0) return raw<boolean>`1 = 0`
  const names = raw.join(subjects.map((subject) => raw`${subjectKey(subject)}`))
  return raw<boolean>`(${visibleTo('sessions', subjects)} OR EXISTS (SELECT 1 FROM members
    WHERE members.project = projects.name AND members.role = 'admin' AND members.subject IN (${names})))`
}

type Row = Selectable<Tables['projects']> & { sessions: number | null }

const projectOf = (row: Row): ProjectRow => ({
  name: row.name,
  displayName: row.display_name,
  description: row.description,
  createdAt: new Date(row.created_at).toISOString(),
  updatedAt: new Date(row.updated_at).toISOString(),
  version: row.version,
  sessions: row.sessions ?? 0,
  settings: JSON.parse(row.settings),
  settingsVersion: row.settings_version,
  state: row.state === 'archived' ? 'archived' : 'active',
})

const queries = {
  project: query<{ name: string }>()(({ name }) =>
    selectProject().where('name', '=', name).where('state', '<>', 'deleting'),
  ),
  create: query<{
    name: string
    displayName: string
    description: string
    settings: string
    now: number
    createdBy: string
    revision: number
  }>()(({ name, displayName, description, settings, now, createdBy, revision }) =>
    sql
      .insertInto('projects')
      .values({
        name,
        display_name: displayName,
        description,
        created_at: now,
        updated_at: now,
        version: 1,
        settings,
        settings_version: 1,
        revision,
        forgotten: revision,
        state: 'active',
        created_by: createdBy,
        deletion: null,
      })
      .onConflict((conflict) => conflict.doNothing()),
  ),
  rename: query<{ name: string; displayName: string; description: string; now: number }>()(
    ({ name, displayName, description, now }) =>
      sql
        .updateTable('projects')
        .set(({ eb }) => ({
          display_name: displayName,
          description,
          updated_at: now,
          version: eb('version', '+', 1),
        }))
        .where('name', '=', name),
  ),
  setSettings: query<{ name: string; settings: string; now: number }>()(({ name, settings, now }) =>
    sql
      .updateTable('projects')
      .set(({ eb }) => ({ settings, updated_at: now, settings_version: eb('settings_version', '+', 1) }))
      .where('name', '=', name),
  ),
  former: query<{ name: string }>()(({ name }) =>
    sql.selectFrom('former_projects').select('revision').where('name', '=', name),
  ),
  own: query<{ creator: string }>()(({ creator }) =>
    sql
      .selectFrom('projects')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where('created_by', '=', creator),
  ),
  // Locked, so that of two edits of one version the second sees the first.
  lock: query<{ name: string }>()(({ name }) =>
    sql.selectFrom('projects').select('name').where('name', '=', name).forNoKeyUpdate(),
  ),
  settings: query<{ name: string }>()(({ name }) =>
    sql
      .selectFrom('projects')
      .select(['settings', 'settings_version'])
      .where('name', '=', name)
      .where('state', '<>', 'deleting'),
  ),
}

function* find(name: string): Program<ProjectRow> {
  const row = yield* project(name)
  if (row === undefined) throw projectNotFound(name)
  return row
}

/** What changes projects. */
export const projectPrograms: Pick<Programs, 'createProject' | 'editProject'> = {
  *createProject({ creator, maxOwn = Infinity, ...input }) {
    const createdBy = `${creator?.kind ?? 'backend'}:${creator?.id ?? 'backend'}`
    const own = (yield* queries.own.get({ creator: createdBy }))?.count ?? 0
    if (own >= maxOwn)
      throw new BerthError(
        'too_many_projects',
        `You have created ${own} projects, which is as many as one may. Delete one, or ask a platform admin.`,
      )
    const { name, displayName, description, now } = input
    const former = yield* queries.former.get({ name })
    // Above what readers of the former one know, so that they list again.
    const revision = former === undefined ? 0 : former.revision + 1
    const row = { name, displayName, description, now, settings: JSON.stringify(input.settings) }
    if ((yield* queries.create.run({ ...row, createdBy, revision })) === 0)
      throw new BerthError('project_exists', `A project ${name} exists. Choose another name.`)
    const kind = memberKinds.find((known) => known === creator?.kind)
    if (creator !== undefined && kind !== undefined) {
      const admin = { project: name, kind, id: creator.id, name: creator.name, role: 'admin' as const }
      yield* addMember({ ...admin, addedAt: now, addedBy: creator })
    }
    return { value: yield* find(name) }
  },
  *editProject({ name, edit }) {
    const { displayName, description, settings, now } = edit
    yield* queries.lock.get({ name })
    const known = yield* find(name)
    checkVersions(known, edit)
    if (displayName !== undefined || description !== undefined)
      yield* queries.rename.run({
        name,
        displayName: displayName ?? known.displayName,
        description: description ?? known.description,
        now,
      })
    if (settings !== undefined)
      yield* queries.setSettings.run({ name, settings: JSON.stringify(settings), now })
    return { value: yield* find(name) }
  },
}

/** Names and settings have a version each: each is checked only when it is changed. */
const checkVersions = (
  known: ProjectRow,
  { displayName, description, settings, expectedVersion }: ProjectEdit,
) => {
  const names = displayName !== undefined || description !== undefined
  const version = settings === undefined || names ? known.version : known.settingsVersion
  const stale =
    ((names || settings === undefined) && known.version !== expectedVersion) ||
    (settings !== undefined && known.settingsVersion !== expectedVersion)
  if (stale)
    throw new BerthError(
      'version_mismatch',
      `Project ${known.name} is at version ${version}, not ${expectedVersion}. Read it again, then repeat your change.`,
    )
}

export function* project(name: string, viewer?: Viewer): Program<ProjectRow | undefined> {
  if (viewer === undefined) {
    const row = yield* queries.project.get({ name })
    return row && projectOf(row)
  }
  const [seen] = yield* rowsOf(
    selectProject(viewer).where('name', '=', name).where('state', '<>', 'deleting'),
  )
  return seen && projectOf(seen)
}

export function* projectSettings(
  name: string,
): Program<Pick<ProjectRow, 'settings' | 'settingsVersion'> | undefined> {
  const row = yield* queries.settings.get({ name })
  return row && { settings: JSON.parse(row.settings), settingsVersion: row.settings_version }
}

export function* projects(
  { limit, cursor }: Page,
  { viewer, archived = false }: ProjectFilter = {},
): Program<{ items: ProjectRow[]; next?: string }> {
  const after = cursor === undefined ? '' : String(decodeCursor(cursor, ['string'])[0])
  const shown = archived ? (['active', 'archived'] as const) : (['active'] as const)
  const page = selectProject(viewer).where('name', '>', after).where('state', 'in', shown).orderBy('name')
  const rows = yield* rowsOf(page.limit(limit + 1))
  const items = rows.slice(0, limit).map(projectOf)
  const last = items.at(-1)
  return rows.length > limit && last !== undefined ? { items, next: encodeCursor([last.name]) } : { items }
}
