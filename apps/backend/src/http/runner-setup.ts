import { BerthError, runnerRoutes } from '@berth/contract'
import type { FastifyInstance } from 'fastify'
import { maxMcpRequest } from '../mcp/mcp-proxy.ts'
import type { Deps } from './deps.ts'
import { type EndpointOptions, endpoint } from './endpoint.ts'
import { authoriseRunner } from './runner.ts'
import { runnerOf } from './runner-of.ts'
import { withSecrets } from './with-secrets.ts'

/** How a runner's agent is to be set up now. */
export const runnerSetupEndpoints = (app: FastifyInstance, deps: Deps, options: EndpointOptions): void => {
  const { service, store } = deps
  endpoint(app, options)(runnerRoutes.runnerSettings, async ({ request }) => {
    const runner = runnerOf(request)
    const [state, project] = await Promise.all([
      service.state(runner.session),
      store.projectSettings(runner.project),
    ])
    const { values } = service.settingsOf(project?.settings, state.settings)
    return { settings: await withSecrets(deps, runner, values) }
  })
}

/** MCP servers on the network, below `/runner/mcp`: what is passed on is theirs, so it has no row of its own. */
export const mcpEndpoints = (app: FastifyInstance, deps: Deps): void => {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: maxMcpRequest }, (_request, body, done) =>
    done(null, body),
  )
  app.route<{ Params: { name: string } }>({
    method: ['GET', 'POST', 'DELETE'],
    url: '/runner/mcp/:name',
    bodyLimit: maxMcpRequest,
    handler: async (request, reply) => {
      const runner = await authoriseRunner(deps, request)
      const { method } = request
      // A stream of what a server says unasked: none is offered, and clients go on without it.
      if (method !== 'POST' && method !== 'DELETE')
        throw new BerthError('method_not_allowed', 'Messages are sent with POST.')
      const { status, headers, body } = await deps.mcp.call({
        runner,
        name: request.params.name,
        method,
        headers: request.headers,
        body: request.body as Buffer | undefined,
      })
      return reply.code(status).headers(headers).send(body)
    },
  })
}
