import { z } from 'zod'
import { sessionId, turnId } from '../ids.ts'
import { limits } from '../limits.ts'
import { fileEntry, workspacePath } from '../operation.ts'
import { sha256 } from '../transfer.ts'
import { route } from './route.ts'
import { projectName } from './schemas.ts'

const bySession = z.object({ project: projectName, session: sessionId })
const one = '/api/projects/:project/sessions/:session'

const path = workspacePath.describe('Below the workspace; default: the workspace itself').default('')
const filePath = workspacePath.min(1).describe('Below the workspace')

/** A yes or no in a query string. */
const flag = z.enum(['true', 'false']).default('false')

export const wake = flag.describe('Resume a session that is stopped, and wait until its runner is there')

const turn = turnId
  .optional()
  .describe('The files as they were after this turn. Default: as they are, or as they were saved last')

/** Where files were read: from the workspace itself, or from what was saved of it. */
const fileSource = z.object({
  /** The number of the checkpoint; missing: the workspace itself. */
  checkpoint: z.number().int().positive().optional(),
})

const fileList = z.object({
  items: z.array(fileEntry),
  /** Where to go on; missing on the last page. */
  next: z.string().optional(),
  source: fileSource,
})

/** What was written. */
export const writtenFile = z.object({
  path: z.string(),
  size: z.number().int().nonnegative(),
  sha256,
  created: z.boolean(),
})

export type WrittenFile = z.infer<typeof writtenFile>

const reading = [
  'file_not_found',
  'operation_refused',
  'operation_failed',
  'operation_timeout',
  'session_not_live',
  'session_deleted',
  'too_many_operations',
  'no_checkpoint',
  'checkpoint_unreadable',
] as const

/** What writing can be refused with, besides a body's own errors. */
export const changing = [
  'file_not_found',
  'not_a_file',
  'not_a_directory',
  'version_mismatch',
  'operation_refused',
  'operation_failed',
  'operation_timeout',
  'session_not_live',
  'session_failed',
  'session_deleted',
  'limit_reached',
  'too_many_operations',
] as const

export const fileRoutes = {
  listFiles: route({
    method: 'GET',
    path: `${one}/files`,
    role: 'viewer',
    tag: 'Files',
    summary: 'List a directory of the workspace by name, also when the session is stopped',
    params: bySession,
    query: z.object({ path, turn, cursor: z.string().max(2000).optional() }),
    response: { status: 200, body: fileList },
    errors: [...reading, 'not_a_directory', 'invalid_cursor'],
  }),
  readFile: route({
    method: 'GET',
    path: `${one}/files/content`,
    role: 'viewer',
    tag: 'Files',
    summary: 'Get a file of the workspace, or a range of it; its ETag is the SHA-256 of its content',
    params: bySession,
    query: z.object({ path: filePath, turn }),
    response: { status: 200, kind: 'bytes' },
    errors: [...reading, 'not_a_file', 'range_not_satisfiable'],
  }),
  writeFile: route({
    method: 'PUT',
    path: `${one}/files/content`,
    role: 'editor',
    tag: 'Files',
    summary:
      'Write a file of a live session’s workspace, as a whole or not at all; `If-Match: "<SHA-256>"` and `If-None-Match: *` say what it may replace',
    params: bySession,
    query: z.object({
      path: filePath,
      executable: z.enum(['true', 'false']).optional().describe('Default: as the file that is replaced'),
      wake,
    }),
    takes: 'bytes',
    bodyLimit: limits.file,
    response: { status: 200, body: writtenFile },
    errors: changing,
  }),
  deleteFile: route({
    method: 'DELETE',
    path: `${one}/files`,
    role: 'editor',
    tag: 'Files',
    summary: 'Remove a file or directory from a live session’s workspace',
    params: bySession,
    query: z.object({
      path: filePath,
      recursive: flag.describe('A directory with all that is in it'),
      wake,
    }),
    response: { status: 204 },
    errors: changing,
  }),
  archiveFiles: route({
    method: 'GET',
    path: `${one}/archive`,
    role: 'viewer',
    expensive: true,
    tag: 'Files',
    summary: 'Download a file or directory of the workspace as tar.gz, without what belongs to git',
    params: bySession,
    query: z.object({ path, turn }),
    response: { status: 200, kind: 'bytes' },
    errors: [...reading, 'not_a_file'],
  }),
  listArtifacts: route({
    method: 'GET',
    path: `${one}/artifacts`,
    role: 'viewer',
    tag: 'Files',
    summary: 'List what the agent put into `artifacts/`, with everything below it',
    params: bySession,
    query: z.object({ turn }),
    response: {
      status: 200,
      body: z.object({ items: z.array(fileEntry), more: z.boolean(), source: fileSource }),
    },
    errors: reading,
  }),
} as const
