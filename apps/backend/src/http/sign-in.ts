import { type Actor, BerthError, isBerthError, routes } from '@berth/contract'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { browserTimes } from '../auth/browser/browser-times.ts'
import { ownerCookieSeconds } from '../auth/browser/login-links.ts'
import { home, type SignIn } from '../auth/browser/sign-in.ts'
import type { AuditDraft } from '../store/audit-store.ts'
import type { Deps } from './deps.ts'
import { type EndpointOptions, endpoint } from './endpoint.ts'
import { browserCookies, sessionCookieOf } from './identify.ts'

/** How browsers sign in and out, and what command lines have to know for it. */
export const signInEndpoints = (app: FastifyInstance, deps: Deps, options: EndpointOptions): void => {
  const serve = endpoint(app, options)
  const { links, ways, throttles } = deps.auth

  const entryOf =
    ({ ip, id }: FastifyRequest) =>
    (actor: Actor): AuditDraft => ({
      ...{ at: deps.now(), actor, action: 'login', result: 'done', address: ip, requestId: id },
    })

  /** Counts what fails, by address. */
  const throttled = async <T>({ ip }: FastifyRequest, work: () => Promise<T>): Promise<T> => {
    throttles.signIns.check(ip)
    try {
      return await work()
    } catch (error) {
      if (isBerthError(error) && error.code === 'unauthenticated') {
        throttles.signIns.failed(ip)
        deps.metrics.strangerRefused(error.code)
      }
      throw error
    }
  }

  serve(routes.getSignIn, async () => ways)

  serve(routes.createLoginLink, async ({ principal, store }) => {
    if (principal.actor.id !== deps.owner.id)
      throw new BerthError('forbidden', 'A login link is the owner’s. Sign in at the issuer: /login')
    const { ticket, expiresAt } = await links.createTicket(principal, store)
    return { path: `/login?ticket=${ticket}`, expiresAt: new Date(expiresAt).toISOString() }
  })

  serve(routes.login, async ({ query, reply, request }) => {
    const cookies = browserCookies(deps, request)
    if (query.ticket === undefined) {
      const { url, state, cookie } = await signInOf(deps).begin(query.return_to)
      // Lax: the issuer's page leads back here.
      reply.setCookie(cookies.signIn(state), cookie, cookies.attributes('lax', browserTimes.signIn / 1000))
      return reply.redirect(url, 302)
    }
    const { ticket } = query
    const cookie = await throttled(request, async () => {
      const redeemed = await links.redeem(ticket, entryOf(request))
      return redeemed ?? refuseLink()
    })
    reply.setCookie(cookies.session, cookie, cookies.attributes('strict', ownerCookieSeconds))
    return reply.redirect(home, 302)
  })

  serve(routes.finishLogin, async ({ query, reply, request }) => {
    const cookies = browserCookies(deps, request)
    const name = cookies.signIn(query.state)
    const cookie = request.cookies[name]
    reply.clearCookie(name, cookies.attributes('lax', 0))
    const former = sessionCookieOf(deps, request)
    const done = await throttled(request, () =>
      signInOf(deps).finish({
        ...{ query: queryOf(request), state: query.state, cookie, former },
        audit: ({ user, name }) => entryOf(request)({ kind: 'user', id: user, name }),
      }),
    )
    reply.setCookie(cookies.session, done.cookie, cookies.attributes('lax', done.seconds))
    return reply.redirect(done.returnTo, 302)
  })

  serve(routes.signedOut, async ({ reply }) => reply.redirect(home, 302))

  serve(routes.logout, async ({ request, reply, store }) => {
    const cookie = sessionCookieOf(deps, request)
    const cookies = browserCookies(deps, request)
    reply.clearCookie(cookies.session, cookies.attributes('lax', 0))
    if (cookie === undefined) return {}
    await links.signOut(cookie, store)
    const issuer = await deps.auth.signIn?.signOut(cookie, store)
    deps.streams.recheck()
    return issuer === undefined ? {} : { issuer }
  })
}

const signInOf = ({ auth }: Deps): SignIn => {
  if (auth.signIn !== undefined) return auth.signIn
  throw new BerthError(
    'unauthenticated',
    'No issuer is configured to sign in at. The owner signs a browser in by a link: berth open',
  )
}

const refuseLink = (): never => {
  throw new BerthError(
    'unauthenticated',
    'This login link was used already or is too old. Ask for another: berth open',
  )
}

const queryOf = ({ url }: FastifyRequest): string => url.slice(url.indexOf('?') + 1)
