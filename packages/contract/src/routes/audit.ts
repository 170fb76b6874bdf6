import { z } from 'zod'
import { auditHead, auditRecord, auditResult, auditVerification } from '../audit.ts'
import { sessionId } from '../ids.ts'
import { limits } from '../limits.ts'
import { route } from './route.ts'
import { page, pageQuery, projectName } from './schemas.ts'

const text = z.string().min(1).max(300)

const filter = {
  actor: text.optional().describe('Id of who did it'),
  action: text.optional().describe('What was done, e.g. `createSession`; `secret.*`: all that begin so'),
  object: text.optional().describe('Id of what it was done to'),
  session: sessionId.optional(),
  result: auditResult.optional(),
  from: z.iso.datetime().optional().describe('At this time or later'),
  to: z.iso.datetime().optional().describe('Before this time'),
}

const ofAll = { project: projectName.optional().describe('Only of this project'), ...filter }
const format = z
  .enum(['jsonl', 'cloudevents'])
  .default('jsonl')
  .describe('Entries as JSON lines, or each as a CloudEvent 1.0')

const byProject = z.object({ project: projectName })

export const auditRoutes = {
  listAudit: route({
    method: 'GET',
    path: '/api/audit',
    role: 'platform-admin',
    tag: 'Audit',
    summary: 'Who did what in this installation, the newest first',
    query: pageQuery.extend(ofAll),
    response: { status: 200, body: page(auditRecord) },
    errors: ['invalid_cursor'],
  }),
  listProjectAudit: route({
    method: 'GET',
    path: '/api/projects/:project/audit',
    role: 'admin',
    tag: 'Audit',
    summary: 'Who did what in a project, the newest first',
    params: byProject,
    query: pageQuery.extend(filter),
    response: { status: 200, body: page(auditRecord) },
    errors: ['invalid_cursor'],
  }),
  exportAudit: route({
    method: 'GET',
    path: '/api/audit/export',
    role: 'platform-admin',
    tag: 'Audit',
    summary: 'All sealed entries, the oldest first, a line each',
    query: z.object({ ...ofAll, format }),
    response: { status: 200, kind: 'bytes' },
    // Whoever takes the audit away is told of in it.
    audit: true,
  }),
  exportProjectAudit: route({
    method: 'GET',
    path: '/api/projects/:project/audit/export',
    role: 'admin',
    tag: 'Audit',
    summary: 'The sealed entries of a project, the oldest first, a line each',
    params: byProject,
    query: z.object({ ...filter, format }),
    response: { status: 200, kind: 'bytes' },
    audit: true,
  }),
  listAuditHeads: route({
    method: 'GET',
    path: '/api/audit/heads',
    role: 'platform-admin',
    tag: 'Audit',
    summary: 'Signed heads of the audit’s chain, the newest first: keep them elsewhere',
    query: pageQuery,
    response: { status: 200, body: page(auditHead) },
    errors: ['invalid_cursor'],
  }),
  getAuditKey: route({
    method: 'GET',
    path: '/api/audit/key',
    role: 'platform-admin',
    tag: 'Audit',
    summary: 'The public keys with which heads are checked',
    response: {
      status: 200,
      body: z.object({
        /** Ed25519, as PEM. */
        keys: z.array(z.object({ keyId: z.string(), publicKey: z.string() })),
      }),
    },
  }),
  verifyAudit: route({
    method: 'POST',
    path: '/api/audit/verify',
    role: 'platform-admin',
    tag: 'Audit',
    summary: 'Check the whole chain: every entry, every seal, every head, and heads that were kept elsewhere',
    body: z.strictObject({ heads: z.array(auditHead).max(limits.auditHeads).default([]) }),
    bodyLimit: limits.auditHeadsBody,
    response: { status: 200, body: auditVerification },
    idempotent: false,
  }),
} as const
