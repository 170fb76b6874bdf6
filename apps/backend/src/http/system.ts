import { BerthError, isBerthError, routes } from '@berth/contract'
import type { FastifyInstance } from 'fastify'
import { cookieName, cookieSeconds } from '../auth/authenticator.ts'
import { apiDocumentText } from './api-document.ts'
import type { Deps } from './deps.ts'
import { type EndpointOptions, endpoint } from './endpoint.ts'

/** Health, metrics, documents, sign-in. */
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

  serve(routes.createLoginLink, async ({ principal }) => {
    const { ticket, expiresAt } = await deps.authenticator.createTicket(principal)
    return { path: `/login?ticket=${ticket}`, expiresAt: new Date(expiresAt).toISOString() }
  })
  serve(routes.login, async ({ query, reply, request }) => {
    const cookie = await deps.authenticator.redeem(query.ticket)
    if (cookie === undefined)
      throw new BerthError(
        'unauthenticated',
        'This login link was used already or is too old. Ask for another: berth open',
      )
    reply.setCookie(cookieName, cookie, {
      httpOnly: true,
      sameSite: 'strict',
      path: '/',
      maxAge: cookieSeconds,
      secure: request.protocol === 'https',
    })
    return reply.redirect('/docs', 302)
  })
  serve(routes.logout, async ({ request, reply }) => {
    const cookie = request.cookies[cookieName]
    if (cookie !== undefined) await deps.authenticator.signOut(cookie)
    reply.clearCookie(cookieName, { path: '/' })
    return undefined
  })
}
