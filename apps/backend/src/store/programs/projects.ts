import { BerthError } from '@berth/contract'
import type { Selectable } from 'kysely'
import { decodeCursor, encodeCursor } from '../cursor.ts'
import type { Programs } from '../operations.ts'
import type { Page, ProjectEdit, ProjectRow } from '../port.ts'
import { type Program, query, sql } from '../query.ts'
import type { Tables } from '../schema.ts'
import { projectNotFound } from './revision.ts'

/** A project with the count of its sessions that aren't deleted. */
const selectProject = () =>
  sql
    .selectFrom('projects')
    .selectAll()
    .select(({ selectFrom }) =>
      selectFrom('sessions')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .whereRef('sessions.project', '=', 'projects.name')
        .where('sessions.deleted', '=', 0)
        .as('sessions'),
    )

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
})

const queries = {
  project: query<{ name: string }>()(({ name }) => selectProject().where('name', '=', name)),
  create: query<{
    name: string
    displayName: string
    description: string
    settings: string
    now: number
  }>()(({ name, displayName, description, settings, now }) =>
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
        revision: 0,
        forgotten: 0,
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
  remove: query<{ name: string }>()(({ name }) => sql.deleteFrom('projects').where('name', '=', name)),
  anySession: query<{ name: string }>()(({ name }) =>
    sql.selectFrom('sessions').select('number').where('project', '=', name).limit(1),
  ),
  // Locked, so that of two edits of one version the second sees the first.
  lock: query<{ name: string }>()(({ name }) =>
    sql.selectFrom('projects').select('name').where('name', '=', name).forNoKeyUpdate(),
  ),
  page: query<{ after: string; limit: number }>()(({ after, limit }) =>
    selectProject().where('name', '>', after).orderBy('name').limit(limit),
  ),
  settings: query<{ name: string }>()(({ name }) =>
    sql.selectFrom('projects').select(['settings', 'settings_version']).where('name', '=', name),
  ),
}

function* find(name: string): Program<ProjectRow> {
  const row = yield* project(name)
  if (row === undefined) throw projectNotFound(name)
  return row
}

/** What changes projects. */
export const projectPrograms: Pick<Programs, 'createProject' | 'editProject' | 'deleteProject'> = {
  *createProject(input) {
    const created = yield* queries.create.run({ ...input, settings: JSON.stringify(input.settings) })
    if (created === 0)
      throw new BerthError('project_exists', `A project ${input.name} exists. Choose another name.`)
    return { value: yield* find(input.name) }
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
  *deleteProject({ name }) {
    yield* find(name)
    if ((yield* queries.anySession.get({ name })) !== undefined)
      throw new BerthError(
        'project_not_empty',
        `Project ${name} has sessions. Delete them first; a deleted one counts until it is purged.`,
      )
    yield* queries.remove.run({ name })
    return { value: undefined }
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

export function* project(name: string): Program<ProjectRow | undefined> {
  const row = yield* queries.project.get({ name })
  return row && projectOf(row)
}

export function* projectSettings(
  name: string,
): Program<Pick<ProjectRow, 'settings' | 'settingsVersion'> | undefined> {
  const row = yield* queries.settings.get({ name })
  return row && { settings: JSON.parse(row.settings), settingsVersion: row.settings_version }
}

export function* projects({ limit, cursor }: Page): Program<{ items: ProjectRow[]; next?: string }> {
  const after = cursor === undefined ? '' : String(decodeCursor(cursor, ['string'])[0])
  const rows = yield* queries.page.all({ after, limit: limit + 1 })
  const items = rows.slice(0, limit).map(projectOf)
  const last = items.at(-1)
  return rows.length > limit && last !== undefined ? { items, next: encodeCursor([last.name]) } : { items }
}
