import { z } from 'zod'
import { baseKey, blobParts } from '../checkpoint.ts'
import { limits } from '../limits.ts'
import { route } from './route.ts'

const base = z.object({ base: baseKey })
const part = base.extend({ blob: z.string().regex(/^[0-9a-f]{64}$/) })

/** Missing: nobody has stored the whole pack yet. */
const stored = z.object({ parts: blobParts.optional() })

/** Packs of what many sessions start from: once per project and commit, for the runners of that project. */
export const baseRoutes = {
  runnerUseBase: route({
    method: 'POST',
    path: '/runner/bases/:base',
    role: 'runner',
    tag: 'Runner',
    summary: 'Say that the session needs a base pack, and learn whether the project has it',
    params: base,
    response: { status: 200, body: stored },
    errors: ['fenced', 'session_not_found'],
  }),
  runnerPutBasePart: route({
    method: 'PUT',
    path: '/runner/bases/:base/parts/:blob',
    role: 'runner',
    tag: 'Runner',
    summary: 'Store a part of a base pack under its SHA-256; streamed',
    params: part,
    bodyLimit: limits.blob,
    response: { status: 204 },
    errors: ['base_not_found', 'fenced', 'storage_full'],
  }),
  runnerCompleteBase: route({
    method: 'PUT',
    path: '/runner/bases/:base',
    role: 'runner',
    tag: 'Runner',
    summary: 'Say that all parts of a base pack are stored; the first to say so decides which they are',
    params: base,
    body: z.strictObject({ parts: blobParts.min(1) }),
    response: { status: 200, body: stored },
    errors: ['base_not_found', 'blob_not_found', 'fenced'],
  }),
  runnerGetBasePart: route({
    method: 'GET',
    path: '/runner/bases/:base/parts/:blob',
    role: 'runner',
    tag: 'Runner',
    summary: 'Get a part of a base pack of the project',
    params: part,
    response: { status: 200, kind: 'bytes' },
    errors: ['base_not_found', 'blob_not_found', 'fenced'],
  }),
} as const
