import type { AuditDraft } from './audit-store.ts'
import type { Tables } from './schema.ts'

export type AuditColumns = Omit<Tables['audit'], 'place' | 'number' | 'digest' | 'seal' | 'key_id'>

/** Characters that a name, an id or an address may have; more is cut off. */
const nameLength = 300
/** Characters of JSON. */
const detailsLength = 4096

/** A draft as it is stored. */
export const auditRow = (draft: AuditDraft & { id: string }): AuditColumns => {
  const { actor, object, details } = draft
  return {
    id: draft.id,
    at: draft.at,
    actor_kind: actor.kind,
    actor_id: short(actor.id),
    actor_name: textOf(actor.name),
    action: short(draft.action),
    project: textOf(draft.project),
    session: textOf(draft.session),
    object_kind: textOf(object?.kind),
    object_id: textOf(object?.id),
    result: draft.result,
    code: textOf(draft.code),
    address: textOf(draft.address),
    request_id: textOf(draft.requestId),
    details: details === undefined ? null : detailsText(details),
  }
}

/** Text that both databases give back as they got it: without NUL, and without halves of characters. */
const short = (text: string): string => text.slice(0, nameLength).toWellFormed().replaceAll('\0', '\uFFFD')

const textOf = (text: string | undefined): string | null => (text === undefined ? null : short(text))

const detailsText = (details: Record<string, unknown>): string => {
  const text = JSON.stringify(details)
  return text.length <= detailsLength ? text : JSON.stringify({ left: 'out', characters: text.length })
}
