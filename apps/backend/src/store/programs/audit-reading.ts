import type { AuditHead, AuditRecord } from '@berth/contract'
import { firstDigest } from '@berth/contract'
import { sql as raw } from 'kysely'
import { recordOf, sealedOf } from '../audit-row.ts'
import type { AuditChain, AuditFilter, ChainPlace, SealedRecord } from '../audit-store.ts'
import { decodeCursor, encodeCursor } from '../cursor.ts'
import type { Page } from '../port.ts'
import { type Program, query, rowsOf, sql } from '../query.ts'
import type { Tables } from '../schema.ts'

const selectAll = () => sql.selectFrom('audit').selectAll()

/** The rows that a filter leaves. */
const filtered = ({ project, session, actor, action, object, result, from, to }: AuditFilter) => {
  let rows = selectAll()
  if (project !== undefined) rows = rows.where('project', '=', project)
  if (session !== undefined) rows = rows.where('session', '=', session)
  if (actor !== undefined) rows = rows.where('actor_id', '=', actor)
  if (action?.endsWith('*')) {
    const start = action.slice(0, -1)
    rows = rows.where(raw<boolean>`substr(action, 1, ${raw.lit(start.length)}) = ${start}`)
  } else if (action !== undefined) rows = rows.where('action', '=', action)
  if (object !== undefined) rows = rows.where('object_id', '=', object)
  if (result !== undefined) rows = rows.where('result', '=', result)
  if (from !== undefined) rows = rows.where('at', '>=', from)
  if (to !== undefined) rows = rows.where('at', '<', to)
  return rows
}

const queries = {
  chain: query<object>()(() => sql.selectFrom('audit_chain').selectAll()),
  unsealed: query<{ limit: number }>()(({ limit }) =>
    selectAll().where('number', 'is', null).orderBy('place').limit(limit),
  ),
  waiting: query<object>()(() =>
    sql
      .selectFrom('audit')
      .select(({ fn }) => [fn.countAll<number>().as('count'), fn.min<number | null>('at').as('since')])
      .where('number', 'is', null),
  ),
  heads: query<{ below: number; limit: number }>()(({ below, limit }) =>
    sql
      .selectFrom('audit_heads')
      .selectAll()
      .where('number', '<', below)
      .orderBy('number', 'desc')
      .limit(limit),
  ),
  headsOf: query<{ after: number; upTo: number }>()(({ after, upTo }) =>
    sql
      .selectFrom('audit_heads')
      .selectAll()
      .where('number', '>', after)
      .where('number', '<=', upTo)
      .orderBy('number'),
  ),
  /** In order, so that only the old ones are looked at. */
  kept: query<{ after: number; before: number }>()(({ after, before }) =>
    sql
      .selectFrom('audit')
      .select('number')
      .where('number', '>', after)
      .where('at', '>=', before)
      .orderBy('number')
      .limit(1),
  ),
  digest: query<{ number: number }>()(({ number }) =>
    sql.selectFrom('audit').select('digest').where('number', '=', number),
  ),
}

export function* auditList(
  filter: AuditFilter,
  { limit, cursor }: Page,
): Program<{ items: AuditRecord[]; next?: string }> {
  const wanted = filtered(filter)
    .orderBy('place', 'desc')
    .limit(limit + 1)
  const below = cursor === undefined ? undefined : Number(decodeCursor(cursor, ['number'])[0])
  const rows = yield* rowsOf(below === undefined ? wanted : wanted.where('place', '<', below))
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  const items = shown.map(recordOf)
  return rows.length > limit && last !== undefined ? { items, next: encodeCursor([last.place]) } : { items }
}

export function* auditSealed(
  filter: AuditFilter,
  { after, limit }: { after: number; limit: number },
): Program<{ items: SealedRecord[]; last: number }> {
  const { tip } = yield* places()
  const last = Math.min(after + limit, tip.number)
  if (last <= after) return { items: [], last: after }
  const wanted = filtered(filter).where('number', '>', after).where('number', '<=', last).orderBy('number')
  return { items: (yield* rowsOf(wanted)).map(sealedOf), last }
}

export function* auditUnsealed(limit: number): Program<{ place: number; entry: AuditRecord }[]> {
  const rows = yield* queries.unsealed.all({ limit })
  return rows.map((row) => ({ place: row.place, entry: recordOf(row) }))
}

export function* auditChain(): Program<AuditChain> {
  const waiting = yield* queries.waiting.get({})
  const found = yield* places()
  return { ...found, unsealed: waiting?.count ?? 0, unsealedSince: waiting?.since ?? undefined }
}

function* places(): Program<Pick<AuditChain, 'tip' | 'anchor'>> {
  const rows = yield* queries.chain.all({})
  const tip = rows.find(({ name }) => name === 'tip')
  const anchor = rows.find(({ name }) => name === 'anchor')
  return {
    tip: { number: tip?.number ?? 0, digest: tip?.digest ?? firstDigest },
    anchor: anchor && headOf(anchor),
  }
}

export function* auditHeads({ limit, cursor }: Page): Program<{ items: AuditHead[]; next?: string }> {
  const below = cursor === undefined ? Number.MAX_SAFE_INTEGER : Number(decodeCursor(cursor, ['number'])[0])
  const rows = yield* queries.heads.all({ below, limit: limit + 1 })
  const items = rows.slice(0, limit).map(headOf)
  const last = items.at(-1)
  return rows.length > limit && last !== undefined ? { items, next: encodeCursor([last.number]) } : { items }
}

export function* auditHeadsOf(range: { after: number; upTo: number }): Program<AuditHead[]> {
  return (yield* queries.headsOf.all(range)).map(headOf)
}

export function* auditExpired(before: number): Program<ChainPlace | undefined> {
  const { tip, anchor } = yield* places()
  const after = anchor?.number ?? 0
  const kept = yield* queries.kept.get({ after, before })
  const number = (kept?.number ?? tip.number + 1) - 1
  if (number <= after) return undefined
  const digest = (yield* queries.digest.get({ number }))?.digest
  return digest ? { number, digest } : undefined
}

const headOf = (row: Tables['audit_chain'] | Tables['audit_heads']): AuditHead => ({
  number: row.number,
  digest: row.digest,
  at: new Date(row.at ?? 0).toISOString(),
  keyId: row.key_id ?? '',
  signature: row.signature ?? '',
})
