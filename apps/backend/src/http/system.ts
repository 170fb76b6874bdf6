import { BerthError, isBerthError, routes } from '@berth/contract'
import type { FastifyInstance } from 'fastify'
import { apiDocumentText } from './api-document.ts'
import type { Deps } from './deps.ts'
import { type EndpointOptions, endpoint } from './endpoint.ts'

/** Health, metrics, documents, who is asking. */
export const systemEndpoints = (app: FastifyInstance, deps: Deps, options: EndpointOptions): void => {
  const serve = endpoint(app, options)

  serve(routes.livez, async () => 'ok')
  serve(routes.readyz, async () => {
    if (!deps.ready()) throw new BerthError('unavailable', 'Berth is starting or stopping.')
    await deps.store.ping().catch((error) => {
      throw isBerthError(error) ? error : new BerthError('unavailable', 'The store does not answer.')
    })
    return 'ok'
  })
  serve(routes.metrics, async ({ reply }) => {
    reply.type('text/plain; version=0.0.4; charset=utf-8')
    return deps.metrics.text()
  })
  serve(routes.openapi, async () => apiDocumentText)
  serve(routes.getSystem, () => deps.system())
  serve(routes.diagnose, ({ body }) => deps.diagnose(body.project))
}
