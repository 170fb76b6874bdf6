import { knownSubject } from '@berth/contract'
import { type Deciders, refuseDeleted } from './draft.ts'
import { checkVersion } from './version.ts'

/** Who sees a session. */
export const sharingDeciders: Deciders<'share'> = {
  share: (log, { actor, expectedVersion, ...change }) => {
    refuseDeleted(log.current)
    checkVersion(log.current, expectedVersion)
    const before = { visibility: log.current.summary.visibility, shares: log.current.shares }
    const { visibility = before.visibility, shares = before.shares } = change
    const after = {
      visibility,
      shares: shares.map(({ kind, id, role }) => ({ ...knownSubject({ kind, id }), role })),
    }
    if (JSON.stringify(after) !== JSON.stringify(before))
      log.add(actor, { type: 'session.shared', data: after })
  },
}
