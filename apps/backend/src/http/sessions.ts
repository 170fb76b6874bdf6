import { BerthError, type CreateSession, isBerthError, limitsOf, routes } from '@berth/contract'
import type { FastifyInstance } from 'fastify'
import { checkQuotas } from '../session/quota.ts'
import { payerOf, readSpending } from '../session/read-spending.ts'
import { checkModel, notFound, titleFrom } from '../session/service.ts'
import { visibilityFor } from '../session/visibility.ts'
import type { SessionFilter } from '../store/port.ts'
import type { Deps } from './deps.ts'
import { type Call, type EndpointOptions, endpoint } from './endpoint.ts'
import { projectSettingsOf } from './projects.ts'

/** Sessions: create, list, get, change, stop, resume, delete, restore. */
export const sessionEndpoints = (app: FastifyInstance, deps: Deps, options: EndpointOptions): void => {
  const { store, service } = deps
  const serve = endpoint(app, options)

  serve(routes.createSession, (call) => createSession(deps, call))

  serve(routes.listSessions, async ({ params, query, principal }) => {
    const reader = await deps.access.readerIn(principal, params.project)
    const revision = await store.revision(params.project)
    const { limit, cursor } = query
    const { items, next } = await store.list(
      params.project,
      { ...filterOf(query), reader },
      { limit, cursor },
    )
    const tail = next === undefined ? '' : `,"next":${JSON.stringify(next)}`
    return `{"items":[${items.join(',')}]${tail},"revision":${revision}}`
  })

  serve(routes.getSession, async ({ params, reply }) => {
    const summary = await store.summary(params.project, params.session)
    if (summary === undefined) throw notFound(params.session)
    reply.header('etag', `"${versionIn(summary)}"`)
    return summary
  })

  serve(routes.updateSession, async ({ params, body, principal, version, reply, audit }) => {
    const command = { kind: 'update', actor: principal.actor, ...body, expectedVersion: version } as const
    const { summary } = await service.run({ ...params, command, audit })
    reply.header('etag', `"${versionIn(summary)}"`)
    return summary
  })

  serve(routes.deleteSession, async ({ params, principal, audit }) => {
    const { settings } = await service.state(params.session)
    const project = await projectSettingsOf(store, params.project)
    const { undoHours } = service.settingsOf(project.settings, settings).values
    const purgeAt = new Date(deps.now() + undoHours * 3_600_000).toISOString()
    const command = { kind: 'delete', actor: principal.actor, purgeAt } as const
    return (await service.run({ ...params, command, audit })).summary
  })

  serve(routes.resumeSession, (call) => resumeSession(deps, call))

  for (const [row, command] of [
    [routes.restoreSession, { kind: 'restore' }],
    [routes.stopSession, { kind: 'stop', reason: 'user' }],
    [routes.interruptSession, { kind: 'interrupt' }],
  ] as const)
    serve(row, async ({ params, principal, idempotency, audit }) => {
      const result = await service.run({
        ...params,
        idempotency,
        audit,
        command: { ...command, actor: principal.actor },
      })
      return result.summary
    })
}

/** Refused while a limit is reached or a budget spent. */
export const resumeSession = async (
  deps: Pick<Deps, 'service' | 'store' | 'now'>,
  call: Pick<Call<typeof routes.resumeSession>, 'params' | 'principal' | 'idempotency' | 'audit'>,
): Promise<string> => {
  const { params, principal, idempotency, audit } = call
  const state = await deps.service.state(params.session)
  const { turn, queue } = state.summary
  // What goes on: the paused turn, or else the first prompt that waits.
  const user = turn === undefined ? (queue[0]?.sender ?? principal.actor).id : payerOf(state)
  const of = { project: params.project, user }
  const { settings, spending } = await readSpending(deps, of, deps.now())
  const { values } = deps.service.settingsOf(settings, state.settings)
  checkQuotas(values, 'settings.')
  const limits = limitsOf(values)
  const command = { kind: 'resume', actor: principal.actor, limits, spending } as const
  return (await deps.service.run({ ...params, idempotency, command, audit })).summary
}

/** The version in a summary, read without parsing all of it. */
const versionIn = (summary: string): string => /"version":(\d+)/.exec(summary)?.[1] ?? '0'

const createSession = async (deps: Deps, call: Call<typeof routes.createSession>): Promise<string> => {
  const { service, store } = deps
  const { params, body, principal, idempotency, audit } = call
  const project = await projectSettingsOf(store, params.project)
  const { values } = service.settingsOf(project.settings, body.settings)
  checkModel(body.settings.model, values)
  service.checkMaxima(body.settings, 'body.settings.')
  checkQuotas(values, 'body.settings.')
  for (const other of [body.settings.fallbackModel, body.settings.smallModel]) checkModel(other, values)
  await checkRepositories(deps, body.repositories)
  const visibility = visibilityFor(body.visibility, values)
  const { workflow } = body.settings
  if (workflow !== undefined) await deps.checkRepository(workflow.url, 'body.settings.workflow.url')
  await deps.standing.note(principal)
  const session = service.newId('session')
  const place = { session, project: params.project }
  const prompt = body.prompt === undefined ? undefined : await storeFirst(deps, place, body.prompt)
  const model = await deps.providers.kindOf(params.project, project.settings.modelProvider)
  const result = await service.run({
    session,
    project: params.project,
    idempotency,
    audit,
    command: {
      kind: 'create',
      actor: principal.actor,
      session,
      project: params.project,
      title: body.title ?? titleFrom(body.prompt),
      labels: body.labels,
      repositories: body.repositories,
      settings: body.settings,
      model,
      visibility,
      prompt,
    },
  })
  return result.summary
}

/** Rejects with one error that names every repository that may not be used. */
const checkRepositories = async ({ checkRepository }: Deps, repositories: readonly { url: string }[]) => {
  const checks = repositories.map(({ url }, index) => checkRepository(url, `body.repositories[${index}].url`))
  const refused = (await Promise.allSettled(checks)).flatMap((check) =>
    check.status === 'rejected' ? [check.reason] : [],
  )
  const [first] = refused
  if (refused.length > 1 && refused.every(isBerthError))
    throw new BerthError(
      first.code,
      refused.map(({ message }) => message).join(' '),
      refused.flatMap(({ fields }) => fields ?? []),
    )
  if (first !== undefined) throw first
}

const storeFirst = async (
  { service }: Deps,
  place: { session: string; project: string },
  content: NonNullable<CreateSession['prompt']>,
) => ({
  prompt: service.newId('prompt'),
  content: await service.storePrompt(place, content as Parameters<typeof service.storePrompt>[1]),
})

const filterOf = (query: Call<typeof routes.listSessions>['query']): SessionFilter => ({
  phases: query.phase,
  owner: query.owner,
  text: query.text,
  deleted: query.deleted === 'true',
  labels: query.label?.map((text) => {
    const at = text.indexOf('=')
    return at < 0 ? { key: text } : { key: text.slice(0, at), value: text.slice(at + 1) }
  }),
})
