import { limits, refusalKey } from '@berth/contract'
import type { Deciders } from './draft.ts'

/** What the egress broker refused. An agent that loops fills no log: requests alike are told once a turn, and so many at most. */
export const egressDeciders: Deciders<'refuse-egress'> = {
  'refuse-egress': (log, { actor, data }) => {
    const { refusals, summary } = log.current
    if (summary.desired === 'deleted' || refusals.length >= limits.egressRefusals) return
    if (refusals.includes(refusalKey(data))) return
    const last = refusals.length === limits.egressRefusals - 1
    log.add(actor, { type: 'egress.refused', data: { ...data, ...(last ? { last } : {}) } })
  },
}
