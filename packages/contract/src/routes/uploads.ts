import { z } from 'zod'
import { sessionId, uploadId } from '../ids.ts'
import { limits } from '../limits.ts'
import { workspacePath } from '../operation.ts'
import { sha256 } from '../transfer.ts'
import { changing, wake, writtenFile } from './files.ts'
import { route } from './route.ts'
import { projectName } from './schemas.ts'

const bySession = z.object({ project: projectName, session: sessionId })
const byUpload = bySession.extend({ upload: uploadId })
const all = '/api/projects/:project/sessions/:session/uploads'
const one = `${all}/:upload` as const

const newUpload = z.strictObject({
  path: workspacePath.min(1),
  /** Bytes in all. */
  size: z.number().int().nonnegative().max(limits.upload),
  /** Of the whole content: what arrives otherwise is not written. */
  sha256: sha256.optional(),
  executable: z.boolean().optional(),
  /** The SHA-256 of what may be replaced; `null`: nothing may be there. Missing: whatever is there. */
  expected: sha256.nullable().optional(),
})

/** A file on its way. */
export const upload = z.object({
  upload: uploadId,
  path: z.string(),
  size: z.number().int().nonnegative(),
  /** Of the whole content, as it was said at the beginning. */
  sha256: sha256.optional(),
  /** Bytes that are stored for good: go on from here. */
  offset: z.number().int().nonnegative(),
  createdAt: z.iso.datetime(),
  /** When it is forgotten unless it was finished. */
  expiresAt: z.iso.datetime(),
})

export type Upload = z.infer<typeof upload>

/** Files that come in pieces, so that what was sent once need not be sent again. */
export const uploadRoutes = {
  createUpload: route({
    method: 'POST',
    path: all,
    role: 'editor',
    tag: 'Files',
    summary: 'Begin a resumable upload of a file; the session need not be live before it is finished',
    params: bySession,
    body: newUpload,
    idempotent: false,
    response: { status: 201, body: upload },
    errors: ['session_deleted', 'too_many_uploads'],
  }),
  listUploads: route({
    method: 'GET',
    path: all,
    role: 'viewer',
    tag: 'Files',
    summary: 'List the uploads of a session that are not finished',
    params: bySession,
    response: { status: 200, body: z.object({ items: z.array(upload) }) },
  }),
  getUpload: route({
    method: 'GET',
    path: one,
    role: 'viewer',
    tag: 'Files',
    summary: 'Learn how far an upload is; the header `Upload-Offset` says so too',
    params: byUpload,
    response: { status: 200, body: upload },
    errors: ['upload_not_found'],
  }),
  appendUpload: route({
    method: 'PATCH',
    path: one,
    role: 'editor',
    tag: 'Files',
    summary:
      'Send more of an upload’s bytes, from the header `Upload-Offset` on; what was stored stays, even if the request breaks off',
    params: byUpload,
    // A part of an upload that has its entries: begun, finished, given up.
    audit: false,
    takes: 'bytes',
    bodyLimit: limits.upload,
    response: { status: 200, body: upload },
    errors: ['upload_not_found', 'upload_mismatch'],
  }),
  finishUpload: route({
    method: 'POST',
    path: `${one}/finish`,
    role: 'editor',
    tag: 'Files',
    summary: 'Write the file of an upload that has all its bytes, as a whole or not at all',
    params: byUpload,
    query: z.object({ wake }),
    idempotent: false,
    response: { status: 200, body: writtenFile },
    errors: [...changing, 'upload_not_found', 'upload_mismatch'],
  }),
  cancelUpload: route({
    method: 'DELETE',
    path: one,
    role: 'editor',
    tag: 'Files',
    summary: 'Give an upload up',
    params: byUpload,
    response: { status: 204 },
    errors: ['upload_not_found'],
  }),
} as const
