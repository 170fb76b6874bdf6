import { randomBytes } from 'node:crypto'
import { BerthError, runnerRoutes } from '@berth/contract'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { newBaseScope } from '../session/base-scope.ts'
import type { BaseRow } from '../store/port.ts'
import type { Deps } from './deps.ts'
import { type EndpointOptions, endpoint } from './endpoint.ts'
import { runnerOf } from './runner-of.ts'

/** The base of the runner's own project. */
export const baseOf = async ({ store }: Deps, request: FastifyRequest, key: string): Promise<BaseRow> => {
  const base = await store.base(runnerOf(request).project, key)
  if (base === undefined) throw missing(key)
  return base
}

const missing = (key: string) => new BerthError('base_not_found', `The project has no base pack ${key}.`)

/** Base packs, as the runners of a project share them. */
export const baseEndpoints = (app: FastifyInstance, deps: Deps, options: EndpointOptions): void => {
  const { store, blobs } = deps
  const serve = endpoint(app, options)

  serve(runnerRoutes.runnerUseBase, async ({ request, params }) => {
    const scope = newBaseScope(randomBytes(16))
    const { parts } = await store.useBase(runnerOf(request).session, { key: params.base, scope })
    return { parts }
  })

  serve(runnerRoutes.runnerCompleteBase, async ({ request, params, body }) => {
    const { project } = runnerOf(request)
    const known = await baseOf(deps, request, params.base)
    if (known.parts === undefined)
      for (const { blob } of body.parts) {
        const found = await blobs.get(known.scope, blob)
        if (found === undefined)
          throw new BerthError(
            'blob_not_found',
            `Part ${blob} of the base pack is not stored. Store it first.`,
          )
        found.content.destroy()
      }
    const base = await store.completeBase(project, params.base, body.parts)
    if (base === undefined) throw missing(params.base)
    return { parts: base.parts }
  })

  serve(runnerRoutes.runnerGetBasePart, async ({ request, reply, params }) => {
    const { scope } = await baseOf(deps, request, params.base)
    const found = await blobs.get(scope, params.blob)
    if (found === undefined)
      throw new BerthError('blob_not_found', `Base pack ${params.base} has no part ${params.blob}.`)
    return reply
      .headers({ 'content-type': 'application/octet-stream', 'content-length': found.size })
      .send(found.content)
  })
}
