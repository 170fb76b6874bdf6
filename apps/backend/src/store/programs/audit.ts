import { type AuditHead, type AuditLink, firstDigest } from '@berth/contract'
import { type AuditColumns, auditRow } from '../audit-row.ts'
import type { AuditDraft } from '../audit-store.ts'
import type { Done, Programs } from '../operations.ts'
import { type Program, query, sql } from '../query.ts'
import type { Tables } from '../schema.ts'

const queries = {
  add: query<AuditColumns>()((values) => {
    const { id, at, actor_kind, actor_id, actor_name, action, project, session } = values
    const { object_kind, object_id, result, code, address, request_id, details } = values
    const who = { id, at, actor_kind, actor_id, actor_name, action, project, session }
    const what = { object_kind, object_id, result, code, address, request_id, details }
    return sql
      .insertInto('audit')
      .values({ ...who, ...what })
      .onConflict((conflict) => conflict.column('id').doNothing())
  }),
  begin: query<{ digest: string }>()(({ digest }) =>
    sql
      .insertInto('audit_chain')
      .values({ name: 'tip', number: 0, digest })
      .onConflict((conflict) => conflict.column('name').doNothing()),
  ),
  move: query<{ from: number; at: string; number: number; digest: string }>()(
    ({ from, at, number, digest }) =>
      sql
        .updateTable('audit_chain')
        .set({ number, digest })
        .where('name', '=', 'tip')
        .where('number', '=', from)
        .where('digest', '=', at),
  ),
  seal: query<Omit<AuditLink, 'keyId'> & { place: number; keyId: string }>()(
    ({ place, number, previous, digest, seal, keyId: key_id }) =>
      sql
        .updateTable('audit')
        .set({ number, previous, digest, seal, key_id })
        .where('place', '=', place)
        .where('number', 'is', null),
  ),
  head: query<Tables['audit_heads']>()(({ number, digest, at, key_id, signature }) =>
    sql
      .insertInto('audit_heads')
      .values({ number, digest, at, key_id, signature })
      .onConflict((conflict) => conflict.column('number').doNothing()),
  ),
  anchor: query<Tables['audit_heads']>()(({ number, digest, at, key_id, signature }) =>
    sql
      .insertInto('audit_chain')
      .values({ name: 'anchor', number, digest, at, key_id, signature })
      .onConflict((conflict) =>
        conflict.column('name').doUpdateSet({ number, digest, at, key_id, signature }),
      ),
  ),
  forget: query<{ number: number; limit: number }>()(({ number, limit }) =>
    sql
      .deleteFrom('audit')
      .where('place', 'in', (eb) =>
        eb.selectFrom('audit').select('place').where('number', '<=', number).orderBy('number').limit(limit),
      ),
  ),
  forgetHeads: query<{ number: number }>()(({ number }) =>
    sql.deleteFrom('audit_heads').where('number', '<=', number),
  ),
}

/** Adds an entry; one of the same id stays as it is. */
export function* record(draft: AuditDraft): Program<void> {
  const { id } = draft
  if (id === undefined) throw new Error('An entry of the audit has no id')
  yield* queries.add.run(auditRow({ ...draft, id }))
}

/** A program that records, when it is done, that it was. */
export function* recording(program: Program<Done>, draft: AuditDraft | undefined): Program<Done> {
  const done = yield* program
  if (draft !== undefined) yield* record(withDetails(draft, done.details))
  return done
}

const withDetails = (draft: AuditDraft, more: Done['details']): AuditDraft =>
  more === undefined ? draft : { ...draft, details: { ...draft.details, ...more } }

/** What changes the audit. */
export const auditPrograms: Pick<Programs, 'recordAudit' | 'sealAudit' | 'addAuditHead' | 'expireAudit'> = {
  *recordAudit(draft) {
    yield* record(draft)
    return { value: undefined }
  },
  *sealAudit({ after, links }) {
    const last = links.at(-1)
    if (last === undefined) return { value: true }
    yield* queries.begin.run({ digest: firstDigest })
    const { number, digest } = last
    if ((yield* queries.move.run({ from: after.number, at: after.digest, number, digest })) === 0)
      return { value: false }
    for (const link of links)
      if ((yield* queries.seal.run(link)) === 0)
        throw new Error(`The audit entry ${link.number} was sealed or removed by somebody else`)
    return { value: true }
  },
  *addAuditHead(head) {
    yield* queries.head.run(headRow(head))
    return { value: undefined }
  },
  *expireAudit({ anchor, limit }) {
    const { number } = anchor
    yield* queries.anchor.run(headRow(anchor))
    yield* queries.forgetHeads.run({ number })
    return { value: (yield* queries.forget.run({ number, limit })) === limit }
  },
}

const headRow = ({ number, digest, at, keyId, signature }: AuditHead): Tables['audit_heads'] => ({
  number,
  digest,
  at: Date.parse(at),
  key_id: keyId,
  signature,
})
