import type { Reader } from '../../auth/session-role.ts'
import type { ChangeLine, Store } from '../port.ts'
import { type Program, rowsOf, sql } from '../query.ts'
import { type AccessColumns, accessOf } from '../session-access.ts'
import { buriedFor, seenBy } from './seen-by.ts'
import { revisions } from './sessions.ts'

type Range = Parameters<Store['changes']>[1]

const accessColumns = ['owner_kind', 'owner_id', 'visibility', 'shares'] as const

const changed = (project: string, { after, limit, reader }: Range) => {
  const query = sql
    .selectFrom('sessions')
    .select(['revision', 'summary', ...accessColumns])
    .where('project', '=', project)
    .where('revision', '>', after)
    .orderBy('revision')
    .limit(limit)
  return reader === undefined ? query : query.where(seenBy(reader))
}

const removed = (project: string, { after, limit, reader }: Range) => {
  const query = sql
    .selectFrom('tombstones')
    .select(['revision', 'session', 'kept', ...accessColumns])
    .where('project', '=', project)
    .where('revision', '>', after)
    .orderBy('revision')
    .limit(limit)
  return reader === undefined ? query : query.where(buriedFor(reader))
}

const isOpen = ({ visibility }: AccessColumns) => visibility === 'project'

const toSummary = (row: AccessColumns & { revision: number; summary: string }): ChangeLine => {
  const { revision, summary } = row
  return isOpen(row) ? { revision, summary } : { revision, summary, audience: { seenBy: accessOf(row) } }
}

const toRemoved = (
  row: AccessColumns & { revision: number; session: string; kept: string | null },
): ChangeLine => {
  const { revision, session, kept } = row
  if (kept === null && isOpen(row)) return { revision, removed: session }
  const seen = accessOf(row)
  const keptBy =
    kept === null
      ? undefined
      : { ...seen, visibility: 'private' as const, shares: JSON.parse(kept) as typeof seen.shares }
  return { revision, removed: session, audience: { seenBy: seen, keptBy } }
}

export function* changes(
  project: string,
  range: Range & { reader?: Reader },
): Program<{ items: ChangeLine[]; reset: boolean }> {
  const { after, limit } = range
  const { revision, forgotten } = yield* revisions(project)
  if (after < forgotten || after > revision) return { items: [], reset: true }
  const items: ChangeLine[] = [
    ...(yield* rowsOf(changed(project, range))).map(toSummary),
    ...(yield* rowsOf(removed(project, range))).map(toRemoved),
  ]
  items.sort((a, b) => a.revision - b.revision)
  return { items: items.slice(0, limit), reset: false }
}
