import type { AuditRecord } from '@berth/contract'
import type { Selectable } from 'kysely'
import type { AuditDraft, SealedRecord } from './audit-store.ts'
import type { Tables } from './schema.ts'

export type AuditColumns = Omit<
  Tables['audit'],
  'place' | 'number' | 'previous' | 'digest' | 'seal' | 'key_id'
>

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

type Row = Selectable<Tables['audit']>

/** An entry as it is told. Whatever stands in the row is in it, so that the digest covers the whole row. */
export const recordOf = (row: Row): AuditRecord => {
  const { object_kind: kind, object_id, number, previous, digest, seal, key_id } = row
  const sealed =
    number === null || previous === null || digest === null || seal === null || key_id === null
      ? undefined
      : { number, previous, digest, seal, keyId: key_id }
  return {
    id: row.id,
    at: new Date(row.at).toISOString(),
    actor: {
      kind: row.actor_kind as AuditRecord['actor']['kind'],
      id: row.actor_id,
      name: row.actor_name ?? undefined,
    },
    action: row.action,
    project: row.project ?? undefined,
    session: row.session ?? undefined,
    object: kind === null && object_id === null ? undefined : { kind: kind ?? '', id: object_id ?? '' },
    result: row.result as AuditRecord['result'],
    code: row.code ?? undefined,
    address: row.address ?? undefined,
    requestId: row.request_id ?? undefined,
    details: row.details === null ? undefined : detailsOf(row.details),
    sealed,
  }
}

/** An entry with its link; one whose link somebody broke has one that can't be right. */
export const sealedOf = (row: Row): SealedRecord => {
  const { number, previous, digest, seal, key_id: keyId } = row
  const sealed = {
    number: number ?? 0,
    previous: previous ?? '',
    digest: digest ?? '',
    seal: seal ?? '',
    keyId: keyId ?? '',
  }
  return { ...recordOf(row), sealed }
}

/** Text that somebody made of it by hand shows as such. */
const detailsOf = (text: string): Record<string, unknown> => {
  try {
    return JSON.parse(text)
  } catch {
    return { unreadable: text }
  }
}
