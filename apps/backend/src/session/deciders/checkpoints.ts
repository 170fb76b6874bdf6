import { BerthError } from '@berth/contract'
import { type Deciders, refuseDeleted } from './draft.ts'

/** What people do with checkpoints, and what becomes of pushes. */
export const checkpointDeciders: Deciders<'pushed' | 'git-pushed' | 'git-refused' | 'restore-workspace'> = {
  pushed: (log, { actor, unchanged, data }) => {
    const known = log.current.summary.repositories.find(({ name }) => name === data.name)?.pushed
    // What is there already, and is known to be, needs telling once.
    if (unchanged && known?.branch === data.branch && known.commit === data.commit) return
    log.add(actor, { type: 'repository.pushed', data })
  },
  'git-pushed': (log, { actor, data }) => log.add(actor, { type: 'git.pushed', data }),
  'git-refused': (log, { actor, data }) => log.add(actor, { type: 'git.refused', data }),
  'restore-workspace': (log, { actor, checkpoint }) => {
    refuseDeleted(log.current)
    const { turn, status, desired, id } = log.current.summary
    if (turn !== undefined)
      throw new BerthError(
        'turn_running',
        'A turn is under way, and would go on writing. Interrupt it, or wait for its end; then repeat.',
      )
    if (status.phase === 'failed')
      throw new BerthError(
        'session_failed',
        `Session ${id} failed: ${status.message} Repair that, then resume it.`,
      )
    log.add(actor, { type: 'workspace.restore_requested', data: { checkpoint } })
    const wakes = status.phase === 'stopped' || status.phase === 'stopping'
    if (wakes && desired === 'stopped' && ['user', 'idle', 'completed'].includes(status.reason))
      log.add(actor, { type: 'session.resume_requested', data: {} })
  },
}
