import { BerthError, limits, routes, type Upload } from '@berth/contract'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Uploads } from '../files/uploads.ts'
import { writeFile } from '../files/writing.ts'
import type { UploadRow } from '../store/upload-store.ts'
import { withBody } from './byte-body.ts'
import type { Deps } from './deps.ts'
import { type EndpointOptions, endpoint } from './endpoint.ts'
import { checkWritable } from './file-changes.ts'
import { whenGone } from './send-content.ts'

/** Resumable uploads: begun, asked for, finished, given up. */
export const uploadEndpoints = (app: FastifyInstance, deps: Deps, options: EndpointOptions): void => {
  const { store, service, operations } = deps
  const serve = endpoint(app, options)
  const uploads = new Uploads(deps)
  const find = ({ session, upload }: { session: string; upload: string }) => uploads.find(session, upload)

  serve(routes.createUpload, async ({ params, body, reply, store: audited, note }) => {
    const { summary } = await service.state(params.session)
    if (summary.desired === 'deleted')
      throw new BerthError('session_deleted', `Session ${summary.id} is deleted. Restore it first.`)
    const { session } = params
    const row = { ...body, upload: service.newId('upload'), session, createdAt: deps.now() }
    note({ object: { kind: 'upload', id: row.upload }, details: { path: body.path, size: body.size } })
    await audited.createUpload(row)
    return tell(reply, { ...row, offset: 0, parts: [] })
  })

  serve(routes.listUploads, async ({ params }) => {
    return { items: (await store.uploads(params.session)).map(view) }
  })

  serve(routes.getUpload, async ({ params, reply }) => tell(reply, await find(params)))

  serve(routes.finishUpload, async (call) => {
    const { params, query, principal, reply } = call
    const { project, session } = params
    const row = await find(params)
    const content = uploads.whole(row)
    await checkWritable(deps, call, query.wake)
    const { path, executable, expected } = row
    const { audit } = call
    const who = { project, session, actor: principal.actor, signal: whenGone(reply), audit }
    const { size, created, sha256 } = await writeFile(operations, who, {
      path,
      content,
      executable,
      expected,
    })
    await uploads.remove(row)
    reply.header('etag', `"${sha256}"`)
    return { path, size, created, sha256 }
  })

  serve(routes.cancelUpload, async ({ params, store: audited }) => {
    await new Uploads({ ...deps, store: audited }).remove(await find(params))
    return undefined
  })
}

/** The bytes of uploads. In the scope of an app that takes bytes. */
export const uploadBytesEndpoint = (app: FastifyInstance, deps: Deps, options: EndpointOptions): void => {
  const uploads = new Uploads(deps)
  endpoint(app, options)(routes.appendUpload, async ({ params, request, reply }) => {
    const row = await uploads.find(params.session, params.upload)
    const from = offsetOf(request)
    return tell(reply, await withBody(request, (content) => uploads.append(row, { from, content })))
  })
}

const offsetOf = ({ headers }: FastifyRequest): number => {
  const text = String(headers['upload-offset'] ?? '')
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new BerthError('invalid_input', 'Say from where on you send bytes, as `Upload-Offset: 0`.', [
    { field: 'headers.upload-offset', message: 'expected the number of bytes that were sent before' },
  ])
}

const tell = (reply: FastifyReply, row: UploadRow): Upload => {
  reply.header('upload-offset', row.offset)
  return view(row)
}

const view = ({ upload, path, size, sha256, offset, createdAt }: UploadRow): Upload => ({
  upload,
  path,
  size,
  sha256,
  offset,
  createdAt: new Date(createdAt).toISOString(),
  expiresAt: new Date(createdAt + limits.uploadHours * 3600_000).toISOString(),
})
