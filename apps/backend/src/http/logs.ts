import { routes } from '@berth/contract'
import type { FastifyInstance } from 'fastify'
import type { Deps } from './deps.ts'
import { type EndpointOptions, endpoint } from './endpoint.ts'

/** What the runner and the agent of a session wrote. */
export const logEndpoints = (app: FastifyInstance, { store }: Deps, options: EndpointOptions): void => {
  endpoint(app, options)(routes.listLogs, async ({ params, query }) => {
    const { source, after, limit } = query
    const found = await store.logs(params.session, { source, after, limit: limit + 1 })
    // Without a cursor the newest are wanted: the one too many is the oldest.
    const items = after === undefined ? found.slice(-limit) : found.slice(0, limit)
    const more = after !== undefined && found.length > limit
    return { items, cursor: items.at(-1)?.n ?? after ?? 0, more }
  })
}
