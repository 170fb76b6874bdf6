import { BerthError, type RepositorySnapshot, repositoryName, routes, type SessionGit } from '@berth/contract'
import type { FastifyInstance } from 'fastify'
import { workInSnapshot } from '../session/repository-work.ts'
import type { Deps } from './deps.ts'
import { type EndpointOptions, endpoint } from './endpoint.ts'
import { projectOf } from './projects.ts'

/** The repositories of a session: list, add, remove, retry, and their git state. */
export const repositoryEndpoints = (app: FastifyInstance, deps: Deps, options: EndpointOptions): void => {
  const { service } = deps
  const serve = endpoint(app, options)

  serve(routes.listRepositories, async ({ params }) => {
    await service.check(params.project, params.session)
    const { summary, repositories } = await service.state(params.session)
    const items = summary.repositories.map((item) => {
      const asked = repositories.find(({ url, name }) => (name ?? repositoryName(url)) === item.name)
      return { ...item, depth: asked?.depth, partial: asked?.partial, submodules: asked?.submodules }
    })
    return { items }
  })

  serve(routes.addRepository, async ({ params, body, principal, idempotency }) => {
    await service.check(params.project, params.session)
    await deps.checkRepository(body.url, 'body.url')
    const command = { kind: 'add-repository', actor: principal.actor, repository: body } as const
    return (await service.run({ ...params, idempotency, command })).summary
  })

  serve(routes.removeRepository, async ({ params: { name, ...params }, query, principal }) => {
    await service.check(params.project, params.session)
    const force = query.force === 'true'
    const { turns } = (await service.state(params.session)).summary
    if (!force) await refuseWork(deps, params.session, name)
    const command = { kind: 'remove-repository', actor: principal.actor, name, force, seen: turns } as const
    return (await service.run({ ...params, command })).summary
  })

  serve(routes.retryRepository, async ({ params: { name, ...params }, principal, idempotency }) => {
    const command = { kind: 'retry-repository', actor: principal.actor, name } as const
    return (await service.run({ ...params, idempotency, command })).summary
  })

  serve(routes.listBranches, async ({ params, query }) => {
    await projectOf(deps.store, params.project)
    await deps.checkRepository(query.url, 'query.url')
    return deps.listBranches(query.url)
  })

  serve(routes.getSessionGit, async ({ params }) => {
    await service.check(params.project, params.session)
    return gitFromSnapshot(deps, params.session)
  })
}

/** Rejects with `repository_has_work` when a removal would lose something. */
const refuseWork = async (deps: Deps, session: string, name: string): Promise<void> => {
  const snapshot = (await lastSnapshot(deps, session))?.repositories.find((item) => item.name === name)
  const work = snapshot === undefined ? undefined : workInSnapshot(snapshot)
  if (work !== undefined)
    throw new BerthError(
      'repository_has_work',
      `${name} has work that would be lost: ${work}. Push it or take its patch first, or remove it with force.`,
    )
}

const lastSnapshot = async ({ store }: Deps, session: string) => {
  const line = await store.lastEvent(session, { type: 'workspace.snapshot' })
  if (line === undefined) return undefined
  const { at, data } = JSON.parse(line.json) as {
    at: string
    data: { repositories: RepositorySnapshot[] }
  }
  return { at, repositories: data.repositories }
}

/** What is known without a runner: what the last turn left. */
const gitFromSnapshot = async (deps: Deps, session: string): Promise<SessionGit> => {
  const { summary } = await deps.service.state(session)
  const snapshot = await lastSnapshot(deps, session)
  if (snapshot === undefined) return { source: 'none', repositories: [] }
  const known = new Map(summary.repositories.map((item) => [item.name, item]))
  const repositories = snapshot.repositories
    .filter(({ name }) => known.has(name))
    .map(({ name, base, commits }) => ({
      name,
      base,
      head: known.get(name)?.sessionBranch,
      ahead: commits,
    }))
  return { source: 'snapshot', at: snapshot.at, repositories }
}
