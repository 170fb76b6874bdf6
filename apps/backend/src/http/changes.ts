import {
  BerthError,
  type LongText,
  type RepositorySnapshot,
  routes,
  type SessionChanges,
} from '@berth/contract'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Deps } from './deps.ts'
import { type EndpointOptions, endpoint } from './endpoint.ts'

/** What a session changed, from the snapshots in its log: readable whether or not it runs. */
export const changeEndpoints = (app: FastifyInstance, deps: Deps, options: EndpointOptions): void => {
  const serve = endpoint(app, options)

  serve(routes.getChanges, async ({ params, query }) => {
    return snapshot(deps, params.session, query.turn)
  })

  serve(routes.getPatch, async ({ params, query, reply }) => {
    const { repositories } = await snapshot(deps, params.session, query.turn)
    if (query.repository === undefined && repositories.length > 1) {
      const names = repositories.map(({ name }) => name).join(', ')
      throw new BerthError('invalid_input', `The session has several repositories. Name one: ${names}.`, [
        { field: 'query.repository', message: `expected one of ${names}` },
      ])
    }
    const repository = query.repository === undefined ? repositories[0] : find(repositories, query.repository)
    if (repository === undefined) return ''
    const text = query.against === 'turn' ? repository.turnPatch : repository.patch
    return sendText(deps, { session: params.session, text, reply })
  })

  serve(routes.getChangedFile, async ({ params, query, reply }) => {
    const { repositories } = await snapshot(deps, params.session, query.turn)
    const file = find(repositories, query.repository).files.find(({ path }) => path === query.path)
    if (file === undefined) throw new BerthError('changes_not_found', `${query.path} did not change.`)
    const reason = file.status === 'deleted' ? 'it was deleted' : 'it is larger than what is kept'
    if (file.content === undefined)
      throw new BerthError('blob_not_found', `The content of ${query.path} is not kept: ${reason}.`)
    return sendBlob(deps, { session: params.session, blob: file.content.blob, reply })
  })
}

const snapshot = async (
  { store }: Deps,
  session: string,
  turn: string | undefined,
): Promise<SessionChanges> => {
  const line = await store.lastEvent(session, { type: 'workspace.snapshot', turn })
  if (line === undefined) {
    if (turn === undefined) return { repositories: [] }
    throw new BerthError('changes_not_found', `No changes are known of the turn ${turn}.`)
  }
  const { data } = JSON.parse(line.json) as { data: { turn: string; repositories: RepositorySnapshot[] } }
  return { seq: line.seq, ...data }
}

const find = (repositories: RepositorySnapshot[], name: string): RepositorySnapshot => {
  const found = repositories.find((repository) => repository.name === name)
  if (found === undefined) throw new BerthError('changes_not_found', `The session has no repository ${name}.`)
  return found
}

const sendText = async (
  deps: Deps,
  { session, text, reply }: { session: string; text: LongText; reply: FastifyReply },
) => {
  if (text.full === undefined) return text.text
  return sendBlob(deps, { session, blob: text.full.blob, reply, type: 'text/plain; charset=utf-8' })
}

const sendBlob = async (
  { blobs }: Deps,
  { session, blob, reply, type }: { session: string; blob: string; reply: FastifyReply; type?: string },
) => {
  const found = await blobs.get(session, blob)
  if (found === undefined) throw new BerthError('blob_not_found', `There is no blob ${blob} in this session.`)
  return reply
    .headers({
      'content-type': type ?? 'application/octet-stream',
      'content-disposition': 'attachment',
      'content-length': found.size,
    })
    .send(found.content)
}
