import { BerthError, isHold, limits } from '@berth/contract'
import { heldBy } from '../limit-times.ts'
import { refuseSpent } from './budget.ts'
import { type Deciders, type Draft, refuseDeleted } from './draft.ts'
import { dispatch, endTurn } from './turn-flow.ts'
import { checkVersion } from './version.ts'

const openRequest = (log: Draft, request: string, kind: 'permission' | 'question') => {
  refuseDeleted(log.current)
  const open = log.current.summary.requests.find((item) => item.request === request)
  if (open === undefined)
    throw new BerthError(
      'request_closed',
      `Request ${request} is not open: it was answered or cancelled already.`,
    )
  if (open.kind !== kind)
    throw new BerthError('request_not_found', `Request ${request} is a ${open.kind}, not a ${kind}.`)
}

/** What people do to a session. */
export const peopleDeciders: Deciders<
  | 'create'
  | 'update'
  | 'prompt'
  | 'withdraw'
  | 'interrupt'
  | 'decide'
  | 'answer'
  | 'stop'
  | 'resume'
  | 'delete'
  | 'restore'
> = {
  create: (log, { actor, prompt, kind: _, ...data }) => {
    if (!log.isNew) throw new BerthError('internal', 'The session exists already.')
    log.add(actor, { type: 'session.created', data })
    if (prompt !== undefined) log.add(actor, { type: 'prompt.queued', data: prompt })
  },
  update: (log, { actor, title, labels, expectedVersion }) => {
    refuseDeleted(log.current)
    checkVersion(log.current, expectedVersion)
    if (title !== undefined || labels !== undefined)
      log.add(actor, { type: 'session.updated', data: { title, labels } })
  },
  prompt: (log, { actor, prompt, content }) => {
    refuseDeleted(log.current)
    const { status, queue, id, desired } = log.current.summary
    if (status.phase === 'failed')
      throw new BerthError(
        'session_failed',
        `Session ${id} failed: ${status.message} Repair that, then resume it.`,
      )
    if (queue.length >= limits.queuedPrompts)
      throw new BerthError('queue_full', `${queue.length} prompts wait already. Withdraw some, or wait.`)
    log.add(actor, { type: 'prompt.queued', data: { prompt, content } })
    const wakes = status.phase === 'stopped' || status.phase === 'stopping'
    if (wakes && desired === 'stopped' && ['user', 'idle', 'completed', 'deleted'].includes(status.reason))
      log.add(actor, { type: 'session.resume_requested', data: {} })
    dispatch(log)
  },
  withdraw: (log, { actor, prompt }) => {
    refuseDeleted(log.current)
    const { queue, turn } = log.current.summary
    if (turn?.prompt === prompt)
      throw new BerthError(
        'prompt_taken',
        'The agent works on this prompt already. Interrupt the turn instead.',
      )
    if (!queue.some((queued) => queued.prompt === prompt))
      throw new BerthError('prompt_not_found', `No prompt ${prompt} waits in this session.`)
    log.add(actor, { type: 'prompt.withdrawn', data: { prompt } })
  },
  interrupt: (log, { actor }) => {
    refuseDeleted(log.current)
    const { turn } = log.current.summary
    if (turn === undefined)
      throw new BerthError('no_turn', 'No turn is running, so there is nothing to interrupt.')
    if (!turn.interrupting) log.add(actor, { type: 'turn.interrupt_requested', data: { turn: turn.turn } })
    if (!log.current.live)
      endTurn(log, {
        result: 'interrupted',
        code: 'interrupted',
        message: 'Interrupted while no runner was there.',
      })
  },
  decide: (log, { actor, request, decision }) => {
    openRequest(log, request, 'permission')
    log.add(actor, { type: 'permission.decided', data: { request, decision } })
  },
  answer: (log, { actor, request, answers }) => {
    openRequest(log, request, 'question')
    log.add(actor, { type: 'question.answered', data: { request, answers } })
  },
  stop: (log, { actor, reason }) => {
    refuseDeleted(log.current)
    const { desired, turn } = log.current.summary
    const held = turn?.paused !== undefined && !isHold(reason)
    if (desired === 'stopped' && !held) return
    log.add(actor, { type: 'session.stop_requested', data: { reason } })
    if (!log.current.live && log.current.summary.turn?.paused === undefined)
      endTurn(log, { result: 'interrupted', code: 'stopped', message: 'Stopped while no runner was there.' })
  },
  resume: (log, { actor, spending, limits: current = log.current.limits }) => {
    refuseDeleted(log.current)
    const { desired, status } = log.current.summary
    if (desired === 'running' && status.phase !== 'failed') return
    const held = heldBy(log.current, current, Date.parse(log.context.at))
    if (held !== undefined) throw new BerthError('limit_reached', held)
    refuseSpent(log, spending)
    log.add(actor, { type: 'session.resume_requested', data: {} })
  },
  delete: (log, { actor, purgeAt, sooner = false }) => {
    const before = log.current.summary
    if (sooner && before.desired === 'deleted') {
      if (before.purgeAt === undefined || purgeAt < before.purgeAt)
        log.add(actor, { type: 'session.deleted', data: { purgeAt } })
      return
    }
    refuseDeleted(log.current)
    log.add(actor, { type: 'session.deleted', data: { purgeAt } })
    if (!log.current.live)
      endTurn(log, { result: 'interrupted', code: 'deleted', message: 'The session was deleted.' })
  },
  restore: (log, { actor }) => {
    if (log.current.summary.desired !== 'deleted')
      throw new BerthError(
        'session_not_deleted',
        'The session is not deleted, so there is nothing to restore.',
      )
    // From then on its files may be gone already.
    const { id, purgeAt } = log.current.summary
    if (purgeAt !== undefined && purgeAt <= log.context.at)
      throw new BerthError('session_not_found', `Session ${id} could be restored until ${purgeAt}.`)
    log.add(actor, { type: 'session.restored', data: {} })
  },
}
