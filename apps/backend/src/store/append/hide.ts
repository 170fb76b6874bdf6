import type { SessionState } from '@berth/contract'
import type { Audience } from '../../auth/session-role.ts'
import type { ChangeLine } from '../port.ts'
import { nextRevision } from '../programs/revision.ts'
import { type Program, query, sql } from '../query.ts'
import type { Tables } from '../schema.ts'
import { losersOf } from '../session-access.ts'

const bury = query<Tables['tombstones']>()((values) => {
  const { project, revision, session, at, owner_kind, owner_id, visibility, shares, kept } = values
  return sql
    .insertInto('tombstones')
    .values({ project, revision, session, at, owner_kind, owner_id, visibility, shares, kept })
})

/** Leaves a tombstone for an audience. */
export function* leaveTombstone(
  { seenBy, keptBy }: Audience,
  place: Pick<Tables['tombstones'], 'project' | 'revision' | 'session' | 'at'>,
): Program<ChangeLine> {
  const { owner, visibility, shares } = seenBy
  yield* bury.run({
    ...place,
    owner_kind: owner.kind,
    owner_id: owner.id,
    visibility,
    shares: JSON.stringify(shares),
    kept: keptBy === undefined ? null : JSON.stringify(keptBy.shares),
  })
  return { revision: place.revision, removed: place.session, audience: { seenBy, keptBy } }
}

/** Takes the session out of the lists of those who see it no more, at a revision of its own. */
export function* hide(
  before: SessionState,
  { state, now }: { state: SessionState; now: number },
): Program<ChangeLine | undefined> {
  const audience = losersOf(before, state)
  if (audience === undefined) return undefined
  const { project, id: session } = state.summary
  const revision = yield* nextRevision(project)
  return yield* leaveTombstone(audience, { project, revision, session, at: now })
}
