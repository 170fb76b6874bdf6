import { BerthError, type RateClass, type Route, rateClasses, rateOf } from '@berth/contract'
import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Principal } from '../auth/principal.ts'
import type { RateLimits } from './rate-settings.ts'

/** Short, so that whoever has to wait doesn't wait for long. */
const windowSeconds = 10
/** Principals whose requests are counted at once; those that were silent longest are forgotten first. */
const counted = 10_000

/** Counts a request of a principal, and rejects with `rate_limited` when there were too many. */
export type CountRequest = (row: Route, of: CountedRequest) => Promise<void>

export interface CountedRequest {
  principal: Principal
  request: FastifyRequest
  reply: FastifyReply
}

const keyOf = ({ actor }: Principal) => `${actor.kind}:${actor.id}`

/**
 * Limits how fast a principal may ask, for each class of routes; each backend counts for itself. Answers say what is left, in
 * the fields of the IETF's draft on rate limit headers (draft-ietf-httpapi-ratelimit-headers-10).
 */
export const rateLimits = async (app: FastifyInstance, limits: RateLimits): Promise<CountRequest> => {
  await app.register(rateLimit, { global: false, cache: counted })
  const counters = new Map(
    rateClasses.flatMap((name) =>
      limits[name] === 0 ? [] : [[name, counter(app, name, limits[name])] as const],
    ),
  )
  return async (row, { principal, request, reply }) => {
    if (principal.unlimited !== true) await counters.get(rateOf(row))?.(principal, request, reply)
  }
}

const counter = (app: FastifyInstance, name: RateClass, max: number) => {
  const principals = new WeakMap<FastifyRequest, string>()
  const count = app.createRateLimit({
    max,
    timeWindow: windowSeconds * 1000,
    keyGenerator: (request) => principals.get(request) ?? '',
  })
  return async (principal: Principal, request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    principals.set(request, keyOf(principal))
    const state = await count(request)
    if (state.isAllowed) return
    const { remaining, ttlInSeconds } = state
    reply.header('ratelimit-policy', `"${name}";q=${max};w=${windowSeconds}`)
    reply.header('ratelimit', `"${name}";r=${remaining};t=${ttlInSeconds}`)
    if (!state.isExceeded) return
    reply.header('retry-after', ttlInSeconds)
    throw new BerthError(
      'rate_limited',
      `More than ${max} requests in ${windowSeconds} seconds (class ${name}). Try again in ${ttlInSeconds} s.`,
    )
  }
}
