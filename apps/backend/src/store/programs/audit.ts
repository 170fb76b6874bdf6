import { type AuditColumns, auditRow } from '../audit-row.ts'
import type { AuditDraft } from '../audit-store.ts'
import type { Done, Programs } from '../operations.ts'
import { type Program, query, sql } from '../query.ts'

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
export const auditPrograms: Pick<Programs, 'recordAudit'> = {
  *recordAudit(draft) {
    yield* record(draft)
    return { value: undefined }
  },
}
