import type { SessionAccess, SessionState, Visibility } from '@berth/contract'
import type { Audience } from '../auth/session-role.ts'

/** The columns that say who sees a session. */
export interface AccessColumns {
  owner_kind: string
  owner_id: string
  visibility: Visibility
  shares: string
}

export const accessOf = ({ owner_kind, owner_id, visibility, shares }: AccessColumns): SessionAccess => ({
  owner: { kind: owner_kind, id: owner_id },
  visibility,
  shares: JSON.parse(shares),
})

/** What decides by the state who sees the session. */
const accessIn = ({ summary, shares }: SessionState): SessionAccess => ({
  owner: { kind: summary.owner.kind, id: summary.owner.id },
  visibility: summary.visibility,
  shares,
})

/** Whom a session's changes are for; undefined: for the whole project. */
export const audienceOf = (state: SessionState): Audience | undefined =>
  state.summary.visibility === 'project' ? undefined : { seenBy: accessIn(state) }

/**
 * Who has to be told that a session is gone from their list, because of a change of who sees it: whoever saw it before and
 * does no more. Undefined: that can be nobody.
 */
export const losersOf = (before: SessionState, after: SessionState): Audience | undefined => {
  if (after.summary.visibility === 'project') return undefined
  if (before.summary.visibility === 'private' && before.shares === after.shares) return undefined
  return { seenBy: accessIn(before), keptBy: accessIn(after) }
}
