import { routes } from '@berth/contract'
import type { FastifyInstance } from 'fastify'
import type { Deps } from './deps.ts'
import { type EndpointOptions, endpoint } from './endpoint.ts'
import { projectSettingsOf } from './projects.ts'

/** Says what a project's git credentials are. */
export const gitCredentialEndpoints = (app: FastifyInstance, deps: Deps, options: EndpointOptions): void => {
  const serve = endpoint(app, options)
  serve(routes.testGitCredentials, async ({ params: { project }, principal: { actor } }) => {
    const { settings } = await projectSettingsOf(deps.store, project)
    const items = await Promise.all(
      (settings.gitCredentials ?? []).map((credential) => deps.inspectGit({ project, actor, credential })),
    )
    return { ok: items.every(({ state }) => state !== 'refused'), items }
  })
}
