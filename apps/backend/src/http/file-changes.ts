import { BerthError, limits, routes } from '@berth/contract'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { storeWhole } from '../files/parts.ts'
import { checkLive, writeFile } from '../files/writing.ts'
import { bounded, takeBytes, withBody } from './byte-body.ts'
import type { Deps } from './deps.ts'
import { type Call, type EndpointOptions, endpoint } from './endpoint.ts'
import { whenGone } from './send-content.ts'
import { resumeSession } from './sessions.ts'

/** Changes of a live session's files. Registered in a scope of its own, because it takes bytes. */
export const fileChangeEndpoints = (app: FastifyInstance, deps: Deps, options: EndpointOptions): void => {
  const { blobs, service, operations } = deps
  takeBytes(app)
  const serve = endpoint(app, options)

  serve(routes.writeFile, async (call) => {
    const { params, query, request, reply, principal } = call
    const { path } = query
    await checkWritable(deps, call, query.wake)
    const operation = service.newId('operation')
    const expected = expectedOf(request)
    const executable = query.executable === undefined ? undefined : query.executable === 'true'
    try {
      const content = await withBody(request, (body) =>
        storeWhole(blobs, operation, bounded(body, limits.file)),
      )
      const { size, created, sha256 } = await writeFile(
        operations,
        { ...params, actor: principal.actor, operation, signal: whenGone(reply), audit: call.audit },
        { path, content, executable, expected },
      )
      reply.header('etag', `"${sha256}"`)
      return { path, size, created, sha256 }
    } finally {
      await blobs.removeAll(operation)
    }
  })

  serve(routes.deleteFile, async (call) => {
    const { params, query, request, reply, principal } = call
    await checkWritable(deps, call, query.wake)
    const expected = expectedOf(request)
    if (expected === null)
      throw new BerthError('invalid_input', 'What is removed has to be there.', [
        { field: 'headers.if-none-match', message: 'has no meaning here' },
      ])
    const { path, recursive } = query
    await operations.run({
      ...params,
      actor: principal.actor,
      audit: call.audit,
      signal: whenGone(reply),
      request: { kind: 'delete', path, recursive: recursive === 'true', expected },
    })
    return undefined
  })
}

/** Rejects before anything is read or stored when the session's files can't be changed; wakes it when that is asked. */
export const checkWritable = async (
  deps: Deps,
  call: Pick<Call<typeof routes.deleteFile>, 'params' | 'principal'>,
  wake: 'true' | 'false',
): Promise<void> => {
  const { params, principal } = call
  const state = await deps.service.state(params.session)
  const { desired, status } = state.summary
  const sleeps = desired === 'stopped' || status.phase === 'failed'
  if (wake === 'true' && sleeps)
    await resumeSession(deps, { params, principal, idempotency: undefined, audit: undefined })
  else checkLive(state)
}

/** The SHA-256 of what may be replaced; `null`: nothing may be there. */
const expectedOf = ({ headers }: FastifyRequest): string | null | undefined => {
  const match = headers['if-match']
  const none = headers['if-none-match']
  if (none !== undefined) {
    if (none.trim() === '*' && match === undefined) return null
    throw new BerthError('invalid_input', 'Send `If-None-Match: *` alone, to write only what is not there.', [
      { field: 'headers.if-none-match', message: 'expected * and no If-Match' },
    ])
  }
  if (match === undefined) return undefined
  const hash = /^"([0-9a-f]{64})"$/.exec(match.trim())?.[1]
  if (hash !== undefined) return hash
  throw new BerthError('invalid_input', 'Send the ETag that you read as `If-Match: "<SHA-256>"`.', [
    { field: 'headers.if-match', message: 'expected the SHA-256 of a file’s content, in quotes' },
  ])
}
