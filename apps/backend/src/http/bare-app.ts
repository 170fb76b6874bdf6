import { randomUUID } from 'node:crypto'
import { BerthError, type Route } from '@berth/contract'
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyRequest,
  LogController,
} from 'fastify'
import type { Principal } from '../auth/principal.ts'
import type { RunnerIdentity } from '../store/port.ts'
import type { Deps } from './deps.ts'
import { parseJsonBody } from './json-body.ts'
import { clientError, frameworkError, problems } from './problems.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who is asking; set before the route's row is asked whether they may. Handlers run only if they may. */
    principal: Principal | null
    /** On the runners' port: whose runner it is. */
    runner: RunnerIdentity | null
  }
}

/** Time for a whole request to arrive: slow senders are cut off; answers may take as long as a stream lives. */
const requestMs = 60_000

/** An app without routes: limits, body parsing, answers to errors, request logs and metrics. */
export const bareApp = (deps: Deps, rows: readonly Route[]): FastifyInstance => {
  const { requestTimeoutMs = requestMs } = deps
  const app = Fastify({
    loggerInstance: deps.log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    // Of nobody else it counts what `X-Forwarded-For`, `-Proto` and `-Host` say.
    trustProxy: deps.trustedProxies.length > 0 ? [...deps.trustedProxies] : false,
    requestTimeout: requestTimeoutMs,
    connectionTimeout: 0,
    keepAliveTimeout: 72_000,
    http: {
      headersTimeout: Math.min(30_000, requestTimeoutMs),
      connectionsCheckingInterval: Math.min(10_000, requestTimeoutMs / 2),
    },
    routerOptions: { maxParamLength: 300, ignoreTrailingSlash: false },
    frameworkErrors: frameworkError,
    clientErrorHandler: clientError,
  })
  app.decorateRequest('principal', null)
  app.decorateRequest('runner', null)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      done(null, parseJsonBody(body as Buffer))
    } catch (error) {
      done(error as Error)
    }
  })
  problems(app, rows)
  app.addHook('onRequest', (_request, reply, done) => {
    if (!deps.closing()) return done()
    reply.header('connection', 'close')
    done(new BerthError('unavailable', 'This backend is stopping. Try again in a moment.'))
  })
  // biome-ignore lint/complexity/useMaxParams: Fastify's form of a hook that costs no promise
  app.addHook('onSend', (request, reply, payload, done) => {
    reply.header('x-request-id', request.id).header('x-content-type-options', 'nosniff')
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store')
    done(null, payload)
  })
  app.addHook('onResponse', (request, reply, done) => {
    const { statusCode: status, elapsedTime } = reply
    const route = request.routeOptions.url ?? 'none'
    // A stream lasts as long as its reader likes: that says nothing about how fast Berth answers.
    if (!isStream(reply.raw.getHeader('content-type')))
      deps.metrics.request({ method: request.method, route, status }, elapsedTime / 1000)
    const line = {
      method: request.method,
      route,
      status,
      ms: Math.round(elapsedTime),
      session: sessionOf(request),
    }
    if (status >= 500) request.log.warn(line, 'request')
    else request.log.debug(line, 'request')
    done()
  })
  return app
}

const isStream = (type: unknown) => typeof type === 'string' && type.startsWith('text/event-stream')

const sessionOf = (request: FastifyRequest) => (request.params as { session?: string } | undefined)?.session
