import { randomUUID } from 'node:crypto'
import { openApiDocument, type Route, routes, runnerRoutes } from '@berth/contract'
import cookie from '@fastify/cookie'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import Fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyRequest } from 'fastify'
import { cookieName } from './auth/authenticator.ts'
import { authorise, type Principal } from './auth/principal.ts'
import { changeEndpoints } from './http/changes.ts'
import { conversationEndpoints } from './http/conversation.ts'
import type { Deps } from './http/deps.ts'
import { eventEndpoints } from './http/events.ts'
import { checkHost, checkOrigin } from './http/guard.ts'
import { problems } from './http/problems.ts'
import { projectEndpoints } from './http/projects.ts'
import { authoriseRunner, modelEndpoints, runnerEndpoints } from './http/runner.ts'
import { sessionEndpoints } from './http/sessions.ts'
import { systemEndpoints } from './http/system.ts'
import { version } from './version.ts'

const bare = (deps: Deps, rows: readonly Route[]): FastifyInstance => {
  const app = Fastify({
    loggerInstance: deps.log as FastifyBaseLogger,
    disableRequestLogging: true,
    genReqId: () => randomUUID(),
    forceCloseConnections: 'idle',
    // Slow senders are cut off; answers may take as long as a stream lives.
    requestTimeout: 60_000,
    connectionTimeout: 0,
    keepAliveTimeout: 72_000,
    routerOptions: { maxParamLength: 300, ignoreTrailingSlash: false },
  })
  problems(app, rows)
  app.addHook('onSend', async (request, reply) => {
    reply.header('x-request-id', request.id).header('x-content-type-options', 'nosniff')
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store')
  })
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none'
    deps.metrics.request(
      { method: request.method, route, status: reply.statusCode },
      reply.elapsedTime / 1000,
    )
    const { session } = (request.params ?? {}) as { session?: string }
    const line = {
      method: request.method,
      route,
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
      session,
    }
    if (reply.statusCode >= 500) request.log.warn(line, 'request')
    else request.log.debug(line, 'request')
  })
  return app
}

/** The API for people and their programs. Builds it from its dependencies; never listens. */
export const createApp = async (deps: Deps): Promise<FastifyInstance> => {
  const app = bare(deps, Object.values(routes))
  await app.register(cookie)
  app.addHook('onRequest', async (request) => {
    checkHost(request.headers, deps.allowedHosts)
    checkOrigin(request.headers, request.method === 'GET' && !request.url.startsWith('/api/'))
  })
  const options = {
    checkAnswers: deps.checkAnswers ?? false,
    authorise: async (request: FastifyRequest, row: Route): Promise<Principal> => {
      const principal = await deps.authenticator.authenticate(credentialsOf(request))
      const { project } = (request.params ?? {}) as { project?: string }
      authorise(principal, row.role, project)
      return principal ?? nobody
    },
  }
  await documentation(app)
  systemEndpoints(app, deps, options)
  projectEndpoints(app, deps, options)
  sessionEndpoints(app, deps, options)
  conversationEndpoints(app, deps, options)
  eventEndpoints(app, deps, options)
  changeEndpoints(app, deps, options)
  return app
}

/** The runners' app, for a port of its own. Builds it from its dependencies; never listens. */
export const createRunnerApp = async (deps: Deps): Promise<FastifyInstance> => {
  const app = bare(deps, Object.values(runnerRoutes))
  app.addContentTypeParser('application/octet-stream', (_request, payload, done) => done(null, payload))
  const options = {
    checkAnswers: deps.checkAnswers ?? false,
    authorise: async (request: FastifyRequest): Promise<Principal> => {
      const { session } = await authoriseRunner(deps, request)
      return { actor: { kind: 'runner', id: session }, platformAdmin: false, roles: {} }
    },
  }
  runnerEndpoints(app, deps, options)
  await app.register(async (gateway) => modelEndpoints(gateway, deps))
  return app
}

const nobody: Principal = { actor: { kind: 'user', id: 'nobody' }, platformAdmin: false, roles: {} }

const credentialsOf = (request: FastifyRequest) => ({
  bearer: /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1],
  cookie: request.cookies[cookieName],
})

/** The API's document as pages, at /docs. */
const documentation = async (app: FastifyInstance): Promise<void> => {
  const document = openApiDocument(routes, version)
  await app.register(swagger, { mode: 'static', specification: { document: document as never } })
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: true, uiConfig: { docExpansion: 'list' } })
}
