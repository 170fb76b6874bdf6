import {
  BerthError,
  type Project,
  type ProjectSettings,
  projectSettings,
  routes,
  settings as settingsSchema,
} from '@berth/contract'
import type { FastifyInstance } from 'fastify'
import { projectNotFound } from '../auth/access.ts'
import type { Principal } from '../auth/principal.ts'
import { maskHeaders } from '../mcp/mask-headers.ts'
import { referencesOf } from '../secrets/references.ts'
import type { ProjectRow, Store, Viewer } from '../store/port.ts'
import type { Deps } from './deps.ts'
import { type EndpointOptions, endpoint } from './endpoint.ts'

/** The project; rejects with `project_not_found`. */
export const projectOf = async (store: Store, name: string): Promise<ProjectRow> => {
  const project = await store.project(name)
  if (project === undefined) throw projectNotFound(name)
  return project
}

/** Its settings alone, without counting its sessions; rejects with `project_not_found`. */
export const projectSettingsOf = async (store: Store, name: string) => {
  const row = await store.projectSettings(name)
  if (row === undefined) throw projectNotFound(name)
  return row
}

/** As whom a principal counts sessions; undefined: sees them all. */
const viewerOf = ({ platformAdmin, subjects }: Principal): Viewer | undefined =>
  platformAdmin ? undefined : { subjects }

/** Projects and their settings. */
export const projectEndpoints = (app: FastifyInstance, deps: Deps, options: EndpointOptions): void => {
  const { store, access, now } = deps
  const serve = endpoint(app, options)

  serve(routes.listProjects, async ({ query, principal }) => {
    const { items, next } = await store.projects(query, {
      viewer: viewerOf(principal),
      archived: query.archived === 'true',
    })
    const known = await access.projectsOf(principal)
    const visible = items.filter(({ name }) => known === 'all' || known.has(name))
    return { items: visible.map(wireProject), next }
  })

  serve(routes.createProject, async ({ body, principal, reply, store: audited, note }) => {
    const { name, displayName = name, description, settings } = body
    deps.service.checkMaxima(settings, 'body.settings.')
    note({ project: name, object: { kind: 'project', id: name } })
    const project = await audited.createProject({
      ...{ name, displayName, description, settings, now: now() },
      creator: principal.actor,
      maxOwn: principal.platformAdmin ? undefined : deps.projectsPerUser,
    })
    reply.header('etag', `"${project.version}"`)
    return wireProject(project)
  })

  serve(routes.getProject, async ({ params, principal, reply }) => {
    const project = await store.project(params.project, viewerOf(principal))
    if (project === undefined) throw projectNotFound(params.project)
    reply.header('etag', `"${project.version}"`)
    return wireProject(project)
  })

  serve(routes.updateProject, async ({ params, body, version, reply, store: audited }) => {
    const project = await audited.editProject(params.project, {
      ...body,
      expectedVersion: version,
      now: now(),
    })
    reply.header('etag', `"${project.version}"`)
    return wireProject(project)
  })

  serve(routes.getProjectSettings, async ({ params, principal, reply }) => {
    const project = await projectOf(store, params.project)
    reply.header('etag', `"${project.settingsVersion}"`)
    const settings = wireSettings(deps, project)
    if ((await access.roleIn(principal, params.project)) === 'admin') return settings
    return { ...settings, own: maskHeaders(settings.own), effective: maskHeaders(settings.effective) }
  })

  serve(routes.updateProjectSettings, async ({ params, body, version, reply, store: audited, note }) => {
    const { settings: current } = await projectSettingsOf(store, params.project)
    const merged = Object.entries({ ...current, ...body }).filter(
      ([, value]) => value !== null && value !== undefined,
    )
    const settings = settingsSchema.parse(Object.fromEntries(merged))
    deps.service.checkMaxima(body, 'body.')
    await checkSecrets(store, { project: params.project, body })
    note({ details: { settings: Object.keys(body) } })
    const project = await audited.editProject(params.project, {
      settings,
      expectedVersion: version,
      now: now(),
    })
    await lookAgain(deps, params.project)
    reply.header('etag', `"${project.settingsVersion}"`)
    return wireSettings(deps, project)
  })
}

/** Other limits count for the sessions that live, and others of those that wait may have room. */
const lookAgain = async ({ store, service, admission }: Deps, project: string): Promise<void> => {
  for (const live of (await store.occupancy()).live) if (live.project === project) service.wake(live.session)
  admission.wake()
}

export const wireProject = ({ settings: _, settingsVersion: __, ...project }: ProjectRow): Project => project

const wireSettings = (
  { service }: Pick<Deps, 'service'>,
  { settings, settingsVersion }: Pick<ProjectRow, 'settings' | 'settingsVersion'>,
): ProjectSettings => {
  const { values, origins } = service.settingsOf(settings)
  return projectSettings.parse({ version: settingsVersion, own: settings, effective: values, origins })
}

/** Rejects settings that refer to secrets which the project does not have, with each place. */
const checkSecrets = async (
  store: Store,
  { project, body }: { project: string; body: object },
): Promise<void> => {
  const references = referencesOf(body)
  if (references.length === 0) return
  const known = new Set((await store.secrets(project)).map(({ name }) => name))
  const missing = references.filter(({ name }) => !known.has(name))
  if (missing.length === 0) return
  const fields = missing.slice(0, 50).map(({ field, name }) => ({
    field: `body.${field}`,
    message: `the project has no secret ${JSON.stringify(name)}: set it first`,
  }))
  throw new BerthError(
    'invalid_input',
    'The settings refer to secrets that the project does not have.',
    fields,
  )
}
