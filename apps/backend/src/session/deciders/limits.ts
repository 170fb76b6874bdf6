import { deadlineWarning, limitReached, sameLimits } from '../limit-times.ts'
import { type Deciders, refuseDeleted } from './draft.ts'
import { checkVersion } from './version.ts'

/** What settings and the reconciler do to a session's limits, and what the limits do to the session. */
export const limitDeciders: Deciders<'set' | 'limits' | 'wait' | 'enforce' | 'warn'> = {
  set: (log, { actor, settings, limits, expectedVersion }) => {
    refuseDeleted(log.current)
    checkVersion(log.current, expectedVersion)
    if (JSON.stringify(settings) === JSON.stringify(log.current.settings)) return
    log.add(actor, { type: 'session.settings_changed', data: { settings, limits } })
  },
  limits: (log, { actor, limits }) => {
    if (log.current.live && !sameLimits(log.current.limits, limits))
      log.add(actor, { type: 'session.limits_changed', data: { limits } })
  },
  wait: (log, { actor, kind: _, ...data }) => {
    const { live, summary } = log.current
    const { desired, status } = summary
    if (live || desired !== 'running' || status.phase !== 'pending' || status.reason === 'capacity') return
    log.add(actor, { type: 'session.waits', data })
  },
  enforce: (log, { actor }) => {
    if (log.current.summary.desired !== 'running') return
    const reason = limitReached(log.current, Date.parse(log.context.at))
    if (reason !== undefined) log.add(actor, { type: 'session.stop_requested', data: { reason } })
  },
  warn: (log, { actor }) => {
    const minutes = deadlineWarning(log.current, Date.parse(log.context.at))
    if (minutes === undefined) return
    const left = minutes === 1 ? '1 minute' : `${minutes} minutes`
    const message = `The session stops in ${left}: it reaches its deadline of ${log.current.limits.deadlineMinutes} minutes. Raise deadlineMinutes to let it run on.`
    log.add(actor, { type: 'session.notice', data: { level: 'warning', about: 'deadline', message } })
  },
}
