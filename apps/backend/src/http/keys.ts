import { type ApiKey, type NewApiKey, routes } from '@berth/contract'
import type { FastifyInstance } from 'fastify'
import { makeApiKey, prefixOf, secretOf } from '../auth/api-key.ts'
import { sha256 } from '../auth/sha256.ts'
import type { KeyRow } from '../store/key-store.ts'
import type { Deps } from './deps.ts'
import { type EndpointOptions, endpoint } from './endpoint.ts'

const dayMs = 86_400_000
const hourMs = 3_600_000

/** The API keys of a project. */
export const keyEndpoints = (app: FastifyInstance, deps: Deps, options: EndpointOptions): void => {
  const { store, streams, now, random } = deps
  const serve = endpoint(app, options)

  serve(routes.listKeys, async ({ params }) => ({ items: (await store.keys(params.project)).map(wireKey) }))

  serve(routes.createKey, async ({ params, body, principal, note, store: audited }): Promise<NewApiKey> => {
    const { days, ...about } = body
    const { id, secret } = makeApiKey(now(), random)
    note({ object: { kind: 'key', id }, details: { role: body.role, name: body.name, days } })
    const key = await audited.createKey({
      ...{ id, ...params, ...about, hash: sha256(secret), createdBy: principal.actor },
      ...{ now: now(), expiresAt: now() + days * dayMs },
    })
    return { ...wireKey(key), secret }
  })

  serve(routes.rotateKey, async ({ params, store: audited, body }): Promise<NewApiKey> => {
    const secret = secretOf(params.key, random)
    const key = await audited.rotateKey(params.project, params.key, {
      ...{ hash: sha256(secret), now: now() },
      ...{ graceUntil: now() + body.graceHours * hourMs, expiresAt: now() + body.days * dayMs },
    })
    streams.recheck()
    return { ...wireKey(key), secret }
  })

  serve(routes.revokeKey, async ({ params, store: audited }) => {
    await audited.revokeKey(params.project, params.key, now())
    streams.recheck()
    return undefined
  })
}

const wireKey = ({ project: _, ...key }: KeyRow): ApiKey => {
  const { createdAt, expiresAt, rotatedAt, graceUntil, lastUsedAt, revokedAt, ...rest } = key
  return {
    ...rest,
    prefix: prefixOf(key.id),
    createdAt: timeOf(createdAt),
    expiresAt: timeOf(expiresAt),
    rotatedAt: maybe(rotatedAt),
    graceUntil: maybe(graceUntil),
    lastUsedAt: maybe(lastUsedAt),
    revokedAt: maybe(revokedAt),
  }
}

const timeOf = (ms: number): string => new Date(ms).toISOString()
const maybe = (ms: number | undefined): string | undefined => (ms === undefined ? undefined : timeOf(ms))
