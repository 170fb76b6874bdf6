import { BerthError, limits, routes } from '@berth/contract'
import type { FastifyInstance } from 'fastify'
import type { ChangeLine } from '../store/port.ts'
import type { Deps } from './deps.ts'
import { type EndpointOptions, endpoint } from './endpoint.ts'
import { resumeAt, wantsStream } from './stream.ts'

/** The log of a session and the changes of a project's list: pages, or streams that go on. */
export const eventEndpoints = (app: FastifyInstance, deps: Deps, options: EndpointOptions): void => {
  const { store, streams, events, changes, blobs } = deps
  const serve = endpoint(app, options)

  serve(routes.listEvents, async ({ params, query, guard, request, reply }) => {
    const after = query.after ?? 0
    if (!wantsStream(request)) return eventPage(deps, params.session, { after, limit: query.limit })
    await streams.serve(
      { request, reply },
      { tail: events, key: params.session, after: resumeAt(request, after), guard: guard() },
    )
    return undefined
  })

  serve(routes.listProjectChanges, async ({ params, query, principal, guard, request, reply }) => {
    const reader = await deps.access.readerIn(principal, params.project)
    const revision = await store.revision(params.project)
    const after = query.after ?? revision
    if (!wantsStream(request)) {
      const { items, reset } = await store.changes(params.project, { after, limit: query.limit, reader })
      const reached = reset ? revision : reachedBy(items, { limit: query.limit, head: revision, after })
      const lines = reset ? [resetLine(reached)] : items.map(changeJson)
      return `{"items":[${lines.join(',')}],"revision":${reached}}`
    }
    await streams.serve(
      { request, reply },
      { tail: changes, key: params.project, after: resumeAt(request, after), reader, guard: guard() },
    )
    return undefined
  })

  serve(routes.getBlob, async ({ params, reply }) => {
    const blob = await blobs.get(params.session, params.blob)
    if (blob === undefined)
      throw new BerthError('blob_not_found', `There is no blob ${params.blob} in this session.`)
    return reply
      .headers({
        'content-type': 'application/octet-stream',
        'content-disposition': 'attachment',
        'content-length': blob.size,
        etag: `"${params.blob}"`,
        'cache-control': 'private, max-age=31536000, immutable',
      })
      .send(blob.content)
  })
}

/** How far a page of changes has come: what follows the last one on a page that isn't full is not for the reader. */
const reachedBy = (
  items: readonly ChangeLine[],
  { limit, head, after }: { limit: number; head: number; after: number },
): number => {
  const last = items.at(-1)?.revision ?? after
  return items.length < limit ? Math.max(last, head) : last
}

/** A page of a session's log as JSON. */
export const eventPage = async (
  { store }: Pick<Deps, 'store'>,
  session: string,
  { after, limit }: { after: number; limit: number },
): Promise<string> => {
  const lines = await store.events(session, { after, limit: limit + 1, maxBytes: limits.body * 4 })
  const shown = lines.slice(0, limit)
  const cursor = shown.at(-1)?.seq ?? after
  const more = lines.length > limit || (shown.length > 0 && (await hasMore({ store }, session, cursor)))
  return `{"items":[${shown.map(({ json }) => json).join(',')}],"cursor":${cursor},"more":${more}}`
}

const hasMore = async ({ store }: Pick<Deps, 'store'>, session: string, after: number) =>
  (await store.events(session, { after, limit: 1, maxBytes: 1 })).length > 0

/** A change as it is sent. */
export const changeJson = (line: ChangeLine): string =>
  'summary' in line
    ? `{"type":"session","revision":${line.revision},"session":${line.summary}}`
    : `{"type":"removed","revision":${line.revision},"session":${JSON.stringify(line.removed)}}`

export const resetLine = (revision: number): string => `{"type":"reset","revision":${revision}}`
