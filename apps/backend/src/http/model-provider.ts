import { BerthError, routes } from '@berth/contract'
import type { FastifyInstance } from 'fastify'
import { tryProvider } from '../gateway/providers/try-provider.ts'
import type { Deps } from './deps.ts'
import { type EndpointOptions, endpoint } from './endpoint.ts'
import { projectSettingsOf } from './projects.ts'

/** A small model, for who sets none. */
const usualModel = 'claude-haiku-4-5'

/** Tries what a project's sessions ask for their model. */
export const modelProviderEndpoints = (app: FastifyInstance, deps: Deps, options: EndpointOptions): void => {
  const serve = endpoint(app, options)
  serve(routes.testModelProvider, async ({ params: { project }, body, principal: { actor } }) => {
    const { settings } = await projectSettingsOf(deps.store, project)
    const { modelProvider: setting, model, smallModel } = settings
    const asked = body.model ?? smallModel ?? model ?? usualModel
    const trial = { project, setting, model: asked, actor, now: deps.now }
    const tested = await tryProvider(deps.providers, trial)
    if (tested === undefined)
      throw new BerthError(
        'no_model_key',
        `Project ${project} has no model provider, and the platform has no key for it. Set modelProvider, or ask whoever runs Berth.`,
      )
    return tested
  })
}
