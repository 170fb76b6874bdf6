import { BerthError, type ProjectDeletion, routes } from '@berth/contract'
import type { FastifyInstance } from 'fastify'
import { projectNotFound } from '../auth/access.ts'
import type { DeletionRow } from '../store/lifecycle-store.ts'
import type { Deps } from './deps.ts'
import { type EndpointOptions, endpoint } from './endpoint.ts'
import { wireProject } from './projects.ts'

/** The end of projects: the archive, and deletion. */
export const projectLifeEndpoints = (app: FastifyInstance, deps: Deps, options: EndpointOptions): void => {
  const { store, streams, settleProjects, now } = deps
  const serve = endpoint(app, options)

  for (const [row, archived] of [
    [routes.archiveProject, true],
    [routes.unarchiveProject, false],
  ] as const)
    serve(row, async ({ params, reply, store: audited }) => {
      if (archived) protect(params.project, 'archived')
      const project = await audited.setArchived(params.project, { archived, now: now() })
      settleProjects()
      reply.header('etag', `"${project.version}"`)
      return wireProject(project)
    })

  serve(routes.deleteProject, async ({ params, query, principal, store: audited }) => {
    if (query.confirm !== params.project)
      throw new BerthError('invalid_input', 'Repeat the name of the project to delete it.', [
        { field: 'query.confirm', message: `expected ${params.project}` },
      ])
    protect(params.project, 'deleted')
    const row = await audited.beginDeletion(params.project, { by: principal.actor, now: now() })
    streams.end(params.project, { code: 'project_not_found', detail: 'The project was deleted.' })
    settleProjects()
    return view(deps, row)
  })

  serve(routes.getProjectDeletion, async ({ params }) => {
    const row = await store.deletion(params.project)
    if (row === undefined) throw projectNotFound(params.project)
    return view(deps, row)
  })
}

const protect = (project: string, done: string): void => {
  if (project === 'default')
    throw new BerthError('project_protected', `The project default is always there and can’t be ${done}.`)
}

const view = async ({ store }: Deps, row: DeletionRow): Promise<ProjectDeletion> => ({
  project: row.project,
  since: new Date(row.since).toISOString(),
  by: row.by,
  step: row.step,
  sessions: { total: row.sessions, left: await store.countSessions(row.project) },
})
