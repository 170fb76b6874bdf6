import {
  type Actor,
  BerthError,
  type GitState,
  isBerthError,
  type RepositorySnapshot,
  repositoryName,
  routes,
  type SessionGit,
} from '@berth/contract'
import type { FastifyInstance } from 'fastify'
import { workIn, workInSnapshot } from '../session/repository-work.ts'
import type { Deps } from './deps.ts'
import { type EndpointOptions, endpoint } from './endpoint.ts'
import { projectSettingsOf } from './projects.ts'

/** The repositories of a session: list, add, remove, retry, and their git state. */
export const repositoryEndpoints = (app: FastifyInstance, deps: Deps, options: EndpointOptions): void => {
  const { service } = deps
  const serve = endpoint(app, options)

  serve(routes.listRepositories, async ({ params }) => {
    const { summary, repositories } = await service.state(params.session)
    const items = summary.repositories.map((item) => {
      const asked = repositories.find(({ url, name }) => (name ?? repositoryName(url)) === item.name)
      return { ...item, depth: asked?.depth, partial: asked?.partial, submodules: asked?.submodules }
    })
    return { items }
  })

  serve(routes.addRepository, async ({ params, body, principal, idempotency, audit }) => {
    await deps.checkRepository(body.url, 'body.url')
    const command = { kind: 'add-repository', actor: principal.actor, repository: body } as const
    return (await service.run({ ...params, idempotency, command, audit })).summary
  })

  serve(routes.removeRepository, async ({ params: { name, ...params }, query, principal, audit }) => {
    const force = query.force === 'true'
    const { turns } = (await service.state(params.session)).summary
    if (!force) await refuseWork(deps, { ...params, name, actor: principal.actor })
    const command = { kind: 'remove-repository', actor: principal.actor, name, force, seen: turns } as const
    return (await service.run({ ...params, command, audit })).summary
  })

  serve(routes.retryRepository, async ({ params: { name, ...params }, principal, idempotency, audit }) => {
    const command = { kind: 'retry-repository', actor: principal.actor, name } as const
    return (await service.run({ ...params, idempotency, command, audit })).summary
  })

  serve(routes.listBranches, async ({ params, query, principal }) => {
    await projectSettingsOf(deps.store, params.project)
    await deps.checkRepository(query.url, 'query.url')
    return deps.listBranches({ project: params.project, actor: principal.actor, url: query.url })
  })

  serve(routes.getSessionGit, async ({ params, principal }) => {
    const repositories = await liveGit(deps, { ...params, actor: principal.actor })
    if (repositories === undefined) return gitFromSnapshot(deps, params.session)
    return { source: 'live', at: new Date(deps.now()).toISOString(), repositories } satisfies SessionGit
  })
}

interface Asked {
  project: string
  session: string
  actor: Actor
}

/** Git's state from the workspace of a live session; undefined: no runner is there. */
const liveGit = async (deps: Deps, asked: Asked): Promise<GitState[] | undefined> => {
  const { live, connected, ready } = await deps.service.state(asked.session)
  if (!live || !connected || !ready) return undefined
  try {
    const { repositories } = await deps.operations.run({ ...asked, request: { kind: 'git-state' } })
    return repositories
  } catch (error) {
    if (isBerthError(error) && error.code === 'session_not_live') return undefined
    throw error
  }
}

/** Rejects with `repository_has_work` when a removal would lose something. */
const refuseWork = async (deps: Deps, { name, ...asked }: Asked & { name: string }): Promise<void> => {
  const { summary, ready } = await deps.service.state(asked.session)
  // A turn that runs is refused by the decision itself; what was never cloned holds nothing.
  if (summary.turn !== undefined && ready) return
  if (summary.repositories.find((item) => item.name === name)?.state !== 'ready') return
  const work = await workOf(deps, { name, ...asked })
  if (work !== undefined)
    throw new BerthError(
      'repository_has_work',
      `${name} has work that would be lost: ${work}. Push it or take its patch first, or remove it with force.`,
    )
}

const workOf = async (deps: Deps, { name, ...asked }: Asked & { name: string }) => {
  const live = await liveGit(deps, asked)
  if (live !== undefined) {
    const state = live.find((item) => item.name === name)
    return state === undefined
      ? 'git can’t tell what is in it'
      : workIn(state, await pushedFrom(deps, asked.session, name))
  }
  const { turn } = (await deps.service.state(asked.session)).summary
  if (turn !== undefined) return 'that of a turn which was cut short and goes on with the session'
  const snapshot = (await lastSnapshot(deps, asked.session))?.repositories.find((item) => item.name === name)
  return snapshot === undefined ? undefined : workInSnapshot(snapshot)
}

/** The commit that Berth pushed last from a repository. */
const pushedFrom = async ({ store }: Deps, session: string, name: string): Promise<string | undefined> => {
  const line = await store.lastEvent(session, { type: 'repository.pushed' })
  if (line === undefined) return undefined
  const { data } = JSON.parse(line.json) as { data: { name: string; commit: string } }
  return data.name === name ? data.commit : undefined
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
