import { BerthError, isBerthError, routes } from '@berth/contract'
import type { FastifyInstance } from 'fastify'
import { issuerActor } from '../store/browser-session-store.ts'
import type { Deps } from './deps.ts'
import { type EndpointOptions, endpoint } from './endpoint.ts'

/** How the issuer tells that it has ended sessions. Takes forms, so it needs a scope of its own. */
export const issuerLogoutEndpoint = (scope: FastifyInstance, deps: Deps, options: EndpointOptions): void => {
  const serve = endpoint(scope, options)
  scope.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  )

  serve(routes.logoutByIssuer, async ({ body, request: { id, ip } }) => {
    const { signIn } = deps.auth
    if (signIn === undefined)
      throw new BerthError('invalid_input', 'No issuer is configured here.', [
        { field: 'body.logout_token', message: 'is of no issuer that is known here' },
      ])
    try {
      await signIn.endedByIssuer(body.logout_token, {
        ...{ at: deps.now(), actor: issuerActor, action: 'logoutByIssuer' },
        ...{ result: 'done', address: ip, requestId: id },
      })
    } catch (error) {
      if (isBerthError(error) && error.code === 'invalid_input') deps.metrics.strangerRefused(error.code)
      throw error
    }
    // Who reads on there has a right no more.
    deps.streams.recheck()
    return {}
  })
}
