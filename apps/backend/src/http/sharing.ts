import { routes, type SessionState, type Sharing } from '@berth/contract'
import type { FastifyInstance } from 'fastify'
import { checkVisibility } from '../session/visibility.ts'
import type { Deps } from './deps.ts'
import { type EndpointOptions, endpoint } from './endpoint.ts'
import { projectSettingsOf } from './projects.ts'

/** Who sees a session. */
export const sharingEndpoints = (app: FastifyInstance, deps: Deps, options: EndpointOptions): void => {
  const { store, service, streams } = deps
  const serve = endpoint(app, options)

  serve(routes.getSharing, async ({ params, reply }) => {
    const state = await service.state(params.session)
    return view(state, reply)
  })

  serve(routes.updateSharing, async ({ params, body, principal, version, reply, audit }) => {
    const { settings } = await projectSettingsOf(store, params.project)
    checkVisibility(body.visibility, service.settingsOf(settings).values)
    const command = { kind: 'share', actor: principal.actor, ...body, expectedVersion: version } as const
    const { state } = await service.run({ ...params, command, audit })
    streams.recheck()
    return view(state, reply)
  })
}

const view = (
  { summary: { version, visibility }, shares }: SessionState,
  reply: { header: (name: string, value: string) => unknown },
): Sharing => {
  reply.header('etag', `"${version}"`)
  return { version, visibility, shares }
}
