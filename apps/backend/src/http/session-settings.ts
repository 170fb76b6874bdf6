import {
  limitsOf,
  routes,
  type SessionSettings,
  type SessionSettingsView,
  type SessionState,
  sessionSettings,
} from '@berth/contract'
import type { FastifyInstance } from 'fastify'
import { maskHeaders } from '../mcp/mask-headers.ts'
import { checkQuotas } from '../session/quota.ts'
import { checkModel, notFound } from '../session/service.ts'
import type { Deps } from './deps.ts'
import { type EndpointOptions, endpoint } from './endpoint.ts'
import { projectSettingsOf } from './projects.ts'

/** What a session sets for itself: read and changed while it lives or not. */
export const sessionSettingsEndpoints = (
  app: FastifyInstance,
  deps: Deps,
  options: EndpointOptions,
): void => {
  const { store, service } = deps
  const serve = endpoint(app, options)

  serve(routes.getSessionSettings, async ({ params, reply }) => {
    const view = await viewOf(deps, params.project, await service.state(params.session))
    reply.header('etag', `"${view.version}"`)
    return view
  })

  serve(routes.updateSessionSettings, async ({ params, body, principal, version, reply, audit }) => {
    const state = await service.state(params.session)
    if (state.summary.project !== params.project) throw notFound(params.session)
    service.checkMaxima(body, 'body.')
    const settings = merged(state.settings, body)
    const project = await projectSettingsOf(store, params.project)
    const { values } = service.settingsOf(project.settings, settings)
    await checkChange(deps, body, values)
    const sized = (['memoryMiB', 'cpus'] as const).filter((name) => body[name] !== undefined)
    checkQuotas(values, 'body.', sized)
    const { state: after } = await service.run({
      ...params,
      audit,
      command: {
        kind: 'set',
        actor: principal.actor,
        settings,
        limits: limitsOf(values),
        expectedVersion: version,
      },
    })
    const view = await viewOf(deps, params.project, after)
    reply.header('etag', `"${view.version}"`)
    return view
  })
}

const viewOf = async (
  { store, service }: Deps,
  project: string,
  { summary, settings }: SessionState,
): Promise<SessionSettingsView> => {
  if (summary.project !== project) throw notFound(summary.id)
  const { values, origins } = service.settingsOf((await projectSettingsOf(store, project)).settings, settings)
  return { version: summary.version, own: settings, effective: maskHeaders(values), origins }
}

/** What was set before with the changes; null takes a value away. */
const merged = (before: SessionSettings, changes: object): SessionSettings => {
  const values = Object.entries({ ...before, ...changes }).filter(
    ([, value]) => value !== null && value !== undefined,
  )
  return sessionSettings.parse(Object.fromEntries(values))
}

/** Rejects what the project's policy does not allow, of what is new. */
const checkChange = async (
  { checkRepository }: Deps,
  changes: SessionSettings,
  values: Parameters<typeof checkModel>[1],
): Promise<void> => {
  for (const model of [changes.model, changes.fallbackModel, changes.smallModel])
    checkModel(model ?? undefined, values)
  if (changes.workflow) await checkRepository(changes.workflow.url, 'body.workflow.url')
}
