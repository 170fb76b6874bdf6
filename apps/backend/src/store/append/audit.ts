import type { AuditDraft } from '../audit-store.ts'
import type { AppendRequest, AppendResult } from '../port.ts'

/**
 * What is recorded of an append: with its project and its session, if the draft doesn’t say more. Nothing of one that changed
 * nothing.
 */
export const auditOf = (
  { audit }: Pick<AppendRequest, 'audit'>,
  { lines, replayed, state }: Pick<AppendResult, 'lines' | 'replayed' | 'state'>,
): (AuditDraft & { id: string }) | undefined => {
  if (audit?.id === undefined || replayed || lines.length === 0) return undefined
  const { id: session, project } = state.summary
  const object = audit.object?.kind === 'project' ? undefined : audit.object
  const own = { kind: 'session', id: session }
  return { project, session, ...audit, id: audit.id, object: object ?? own }
}
