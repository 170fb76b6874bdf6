import { Readable } from 'node:stream'
import { BerthError, routes } from '@berth/contract'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { type AuditFormat, exportAudit } from '../audit/export.ts'
import { verifyAudit } from '../audit/verify.ts'
import type { AuditFilter } from '../store/audit-store.ts'
import type { Deps } from './deps.ts'
import { type Call, type EndpointOptions, endpoint } from './endpoint.ts'

/** The audit: read, taken away, checked. */
export const auditEndpoints = (app: FastifyInstance, deps: Deps, options: EndpointOptions): void => {
  const { store, auditKeys: keys } = deps
  const serve = endpoint(app, options)

  serve(routes.listAudit, ({ query }) => store.auditList(filterOf(query), query))
  serve(routes.listProjectAudit, ({ params, query }) =>
    store.auditList({ ...filterOf(query), ...params }, query),
  )
  serve(routes.exportAudit, async (call) => {
    const { query, reply } = call
    await tell(deps, call)
    return send(deps, reply, { filter: filterOf(query), format: query.format })
  })
  serve(routes.exportProjectAudit, async (call) => {
    const { params, query, reply } = call
    await tell(deps, call)
    return send(deps, reply, { filter: { ...filterOf(query), ...params }, format: query.format })
  })
  serve(routes.listAuditHeads, ({ query }) => store.auditHeads(query))
  serve(routes.getAuditKey, async () => ({ keys: keys.publicKeys() }))

  let checks = 0
  serve(routes.verifyAudit, async ({ body }) => {
    // Each reads the whole audit.
    if (checks >= 2) throw new BerthError('unavailable', 'The audit is being checked. Try again in a moment.')
    checks += 1
    try {
      return await verifyAudit({ store, keys }, body.heads)
    } finally {
      checks -= 1
    }
  })
}

type Query = Omit<AuditFilter, 'from' | 'to'> & { from?: string; to?: string }

const filterOf = ({ from, to, ...query }: Query): AuditFilter => ({
  project: query.project,
  session: query.session,
  actor: query.actor,
  action: query.action,
  object: query.object,
  result: query.result,
  from: from === undefined ? undefined : Date.parse(from),
  to: to === undefined ? undefined : Date.parse(to),
})

/** Says who takes what away, before they have it. */
const tell = async ({ store }: Pick<Deps, 'store'>, call: Taking): Promise<void> => {
  call.note({
    details: Object.fromEntries(Object.entries(call.query).filter(([, value]) => value !== undefined)),
  })
  if (call.audit !== undefined) await store.recordAudit(call.audit)
}

type Taking = Pick<Call<typeof routes.exportAudit>, 'note' | 'audit'> & { query: object }

const send = (
  { store }: Pick<Deps, 'store'>,
  reply: FastifyReply,
  { filter, format }: { filter: AuditFilter; format: AuditFormat },
) => {
  const type = format === 'jsonl' ? 'application/x-ndjson' : 'application/x-ndjson; profile=cloudevents'
  const name = format === 'jsonl' ? 'audit.jsonl' : 'audit.cloudevents.jsonl'
  return reply
    .headers({ 'content-type': type, 'content-disposition': `attachment; filename="${name}"` })
    .send(Readable.from(exportAudit(store, filter, format)))
}
