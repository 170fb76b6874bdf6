import type { DatabaseSync } from 'node:sqlite'
import { BerthError } from '@berth/contract'
import type { Selectable } from 'kysely'
import type { ProjectEdit, ProjectRow } from '../port.ts'
import type { Tables } from '../schema.ts'
import type { Done, Handlers, Operations } from './protocol.ts'
import { queriesOf, sql } from './query.ts'
import { projectNotFound } from './revision.ts'

/** A project with the count of its sessions that aren't deleted. */
export const selectProject = () =>
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

export const projectOf = (row: Row): ProjectRow => ({
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

const projectQueries = (database: DatabaseSync) => {
  const query = queriesOf(database)
  return {
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
  }
}

/** What changes projects. */
export const projectHandlers = (
  database: DatabaseSync,
): Pick<Handlers, 'createProject' | 'editProject' | 'deleteProject'> => {
  const queries = projectQueries(database)
  const find = (name: string): ProjectRow => {
    const row = queries.project.get({ name })
    if (row === undefined) throw projectNotFound(name)
    return projectOf(row)
  }
  return {
    createProject: (input) => create(input),
    editProject: ({ name, edit }) => {
      const { displayName, description, settings, now } = edit
      const known = find(name)
      checkVersions(known, edit)
      if (displayName !== undefined || description !== undefined)
        queries.rename.run({
          name,
          displayName: displayName ?? known.displayName,
          description: description ?? known.description,
          now,
        })
      if (settings !== undefined) queries.setSettings.run({ name, settings: JSON.stringify(settings), now })
      return { value: find(name) }
    },
    deleteProject: ({ name }) => {
      find(name)
      if (queries.anySession.get({ name }) !== undefined)
        throw new BerthError(
          'project_not_empty',
          `Project ${name} has sessions. Delete them first; a deleted one counts until it is purged.`,
        )
      queries.remove.run({ name })
      return { value: undefined }
    },
  }

  function create(input: Operations['createProject']['input']): Done<'createProject'> {
    const created = queries.create.run({ ...input, settings: JSON.stringify(input.settings) })
    if (created === 0)
      throw new BerthError('project_exists', `A project ${input.name} exists. Choose another name.`)
    return { value: find(input.name) }
  }
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
