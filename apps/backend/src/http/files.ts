import { basename } from 'node:path/posix'
import { BerthError, routes } from '@berth/contract'
import type { FastifyInstance } from 'fastify'
import { type FilesCall, type ListedFiles, SessionFiles } from '../files/session-files.ts'
import type { Deps } from './deps.ts'
import { type Call, type EndpointOptions, endpoint } from './endpoint.ts'
import { sendContent, whenGone } from './send-content.ts'

/** Where the agent puts what people should find. */
const artifacts = 'artifacts'

/** Files of a session for readers, whether or not it is live. */
export const fileEndpoints = (app: FastifyInstance, deps: Deps, options: EndpointOptions): void => {
  const serve = endpoint(app, options)
  const { blobs, service, operations, checkpoints } = deps
  const files = new SessionFiles({ blobs, service, operations, checkpoints: checkpoints.files })

  serve(routes.listFiles, async (call) => {
    const after = nameIn(call.query.cursor)
    return pageOf(await files.list({ ...callOf(call, call.query), after }))
  })

  serve(routes.readFile, async (call) => {
    const { request, reply, query } = call
    const found = await files.read(callOf(call, query))
    return sendContent(found, {
      request,
      reply,
      name: basename(query.path),
      type: 'application/octet-stream',
    })
  })

  serve(routes.archiveFiles, async (call) => {
    const { request, reply, query, params } = call
    const found = await files.archive(callOf(call, query))
    const name = `${query.path === '' ? params.session : basename(query.path)}.tar.gz`
    return sendContent(found, { request, reply, name, type: 'application/gzip' })
  })

  serve(routes.listArtifacts, async (call) => {
    const { turn } = call.query
    const found = await files
      .list({ ...callOf(call, { path: artifacts, turn }), recursive: true })
      .catch((error: unknown): ListedFiles => {
        // The agent may remove the folder, and a session may end before it was made.
        if (error instanceof BerthError && error.code === 'file_not_found') return { items: [], more: false }
        throw error
      })
    const { items, more, checkpoint } = found
    return { items, more, source: { checkpoint } }
  })
}

const callOf = (
  { params, principal, reply }: Pick<Call<typeof routes.listFiles>, 'params' | 'principal' | 'reply'>,
  { path, turn }: { path: string; turn?: string | undefined },
): FilesCall => ({ ...params, actor: principal.actor, path, turn, signal: whenGone(reply) })

const pageOf = ({ items, more, checkpoint }: ListedFiles) => {
  const last = items.at(-1)
  const next = more && last !== undefined ? Buffer.from(last.name).toString('base64url') : undefined
  return { items, next, source: { checkpoint } }
}

/** The name after which a page begins. */
const nameIn = (cursor: string | undefined): string | undefined => {
  if (cursor === undefined) return undefined
  const name = Buffer.from(cursor, 'base64url').toString('utf8')
  if (Buffer.from(name).toString('base64url') === cursor && name.length > 0) return name
  throw new BerthError('invalid_cursor', 'The cursor is not one that this list gave. Begin without one.')
}
