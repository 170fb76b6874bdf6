import { routes } from '@berth/contract'
import type { FastifyInstance } from 'fastify'
import { findRef, itemOf } from '../checkpoints/find-checkpoint.ts'
import { decodeCursor, encodeCursor } from '../store/cursor.ts'
import type { Deps } from './deps.ts'
import { type EndpointOptions, endpoint } from './endpoint.ts'

/** Saved states of a session: what people do with them. */
export const checkpointEndpoints = (app: FastifyInstance, deps: Deps, options: EndpointOptions): void => {
  const { service, store } = deps
  const serve = endpoint(app, options)

  serve(routes.listCheckpoints, async ({ params, query }) => {
    await service.check(params.project, params.session)
    const { limit, cursor } = query
    const below = cursor === undefined ? undefined : Number(decodeCursor(cursor, ['number'])[0])
    const filter = { type: 'checkpoint.saved', below, limit: limit + 1 }
    const lines = await store.eventsOfType(params.session, filter)
    const items = lines.slice(0, limit).map(itemOf)
    const last = items.at(-1)
    return lines.length > limit && last !== undefined ? { items, next: encodeCursor([last.seq]) } : { items }
  })

  serve(routes.restoreWorkspace, async ({ params, body, principal, idempotency }) => {
    await service.check(params.project, params.session)
    const checkpoint = await findRef(deps, await service.state(params.session), body.turn)
    const command = { kind: 'restore-workspace', actor: principal.actor, checkpoint } as const
    return (await service.run({ ...params, idempotency, command })).summary
  })
}
