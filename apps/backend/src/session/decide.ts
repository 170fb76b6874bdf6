import {
  type Actor,
  authorOf,
  BerthError,
  type Event,
  eventVersion,
  foldSession,
  limits,
  mayAppend,
  type NewEvent,
  preview,
  type SessionState,
} from '@berth/contract'
import type { Command, CommandKind, DecideContext } from './command.ts'

/** The backend itself, as the author of what nobody asked for. */
export const backendActor: Actor = { kind: 'backend', id: 'backend' }

/** The most attempts of one turn: the first, and one that goes on after a lost runner. */
export const maxAttempts = 2

export interface Decision {
  /** To append, in order; none when the command changes nothing. */
  events: Event[]
  /** After the events. */
  state: SessionState
}

/**
 * The one place where it is decided what a command does to a session. Pure: same state, command and context, same
 * outcome. Throws a `BerthError` when the command is refused; then nothing is appended. Facts of a runner are never
 * refused because of the session's state, only when they are not the next ones (`fact_gap`) or come from a generation
 * that is over (`fenced`).
 */
export const decide = (
  state: SessionState | undefined,
  command: Command,
  context: DecideContext,
): Decision => {
  const log = new Draft(state, context)
  if (command.kind !== 'create' && log.isNew)
    throw new BerthError('session_not_found', 'The session does not exist.')
  const decider = deciders[command.kind] as (log: Draft, command: Command) => void
  decider(log, command)
  return { events: log.events, state: log.current }
}

/** The events of one decision, folded as they are added. */
class Draft {
  readonly events: Event[] = []
  readonly context: DecideContext
  #state: SessionState | undefined

  constructor(state: SessionState | undefined, context: DecideContext) {
    this.#state = state
    this.context = context
  }

  get isNew() {
    return this.#state === undefined
  }

  get current(): SessionState {
    if (this.#state === undefined) throw new BerthError('session_not_found', 'The session does not exist.')
    return this.#state
  }

  add(actor: Actor, event: NewEvent, fact: { at?: string; generation?: number; n?: number } = {}) {
    if (!mayAppend(authorOf(actor.kind), event.type))
      throw new BerthError('forbidden', `${actor.kind} may not append ${event.type}.`)
    const stored = {
      seq: (this.#state?.summary.seq ?? 0) + 1,
      at: this.context.at,
      version: eventVersion,
      actor,
      ...event,
      ...fact,
    } as Event
    this.events.push(stored)
    this.#state = foldSession(this.#state, stored)
  }
}

type Deciders = { [K in CommandKind]: (log: Draft, command: Extract<Command, { kind: K }>) => void }

const refuseDeleted = ({ summary }: SessionState) => {
  if (summary.desired === 'deleted')
    throw new BerthError('session_deleted', `Session ${summary.id} is deleted. Restore it first.`)
}

/** Starts the next turn when the agent is free and a prompt waits. */
const dispatch = (log: Draft) => {
  const { ready, live, summary } = log.current
  const next = summary.queue[0]
  const free = ready && live && summary.desired === 'running' && summary.status.phase === 'idle'
  if (!free || summary.turn !== undefined || next === undefined) return
  const { prompt, seq: promptSeq } = next
  log.add(backendActor, {
    type: 'turn.started',
    data: { turn: log.context.turn, prompt, promptSeq, attempt: 1 },
  })
}

interface TurnEnd {
  result: 'interrupted' | 'failed'
  code: string
  message: string
}

/** Ends the current turn in the place of a runner that can't. */
const endTurn = (log: Draft, end: TurnEnd) => {
  const { turn } = log.current.summary
  if (turn === undefined) return
  const durationMs = Math.max(0, Date.parse(log.context.at) - Date.parse(turn.startedAt))
  log.add(backendActor, {
    type: 'turn.ended',
    data: { turn: turn.turn, attempt: turn.attempt, ...end, durationMs },
  })
}

/** Closes what the last runner left open: its blocks are aborted and its requests cancelled. */
const closeOpen = (log: Draft, reason: string) => {
  for (const block of log.current.openBlocks)
    log.add(backendActor, { type: 'block.aborted', data: { block, reason } })
  for (const { request } of log.current.summary.requests)
    log.add(backendActor, { type: 'request.cancelled', data: { request, reason } })
}

/** The turn of a lost runner goes on once, unless it was to be interrupted; a second loss fails it. */
const continueTurn = (log: Draft) => {
  const { turn, status } = log.current.summary
  if (turn === undefined || status.phase !== 'idle') return
  if (turn.interrupting)
    return endTurn(log, { result: 'interrupted', code: 'interrupted', message: 'Interrupted.' })
  if (turn.attempt >= maxAttempts)
    return endTurn(log, {
      result: 'failed',
      code: 'crashed',
      message: 'The runner was lost twice during this turn.',
    })
  const { turn: id, prompt, promptSeq, attempt } = turn
  log.add(backendActor, {
    type: 'turn.started',
    data: { turn: id, prompt, promptSeq, attempt: attempt + 1 },
  })
}

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

const deciders: Deciders = {
  create: (log, { actor, prompt, kind: _, ...data }) => {
    if (!log.isNew) throw new BerthError('internal', 'The session exists already.')
    log.add(actor, { type: 'session.created', data })
    if (prompt !== undefined) log.add(actor, { type: 'prompt.queued', data: prompt })
  },
  update: (log, { actor, title, labels, expectedVersion }) => {
    refuseDeleted(log.current)
    const { version } = log.current.summary
    if (version !== expectedVersion)
      throw new BerthError(
        'version_mismatch',
        `The session is at version ${version}, not ${expectedVersion}. Read it again, then repeat your change.`,
      )
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
    if (log.current.summary.desired === 'stopped') return
    log.add(actor, { type: 'session.stop_requested', data: { reason } })
    if (!log.current.live)
      endTurn(log, { result: 'interrupted', code: 'stopped', message: 'Stopped while no runner was there.' })
  },
  resume: (log, { actor }) => {
    refuseDeleted(log.current)
    const { desired, status } = log.current.summary
    if (desired === 'running' && status.phase !== 'failed') return
    log.add(actor, { type: 'session.resume_requested', data: {} })
  },
  delete: (log, { actor, purgeAt }) => {
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
  launch: (log, { actor, runtime }) => {
    const { live, summary } = log.current
    if (live || summary.desired !== 'running' || summary.status.phase !== 'pending') return
    log.add(actor, { type: 'generation.started', data: { generation: summary.generation + 1, runtime } })
  },
  end: (log, { actor, kind: _, ...end }) => {
    const data = { ...end, message: preview(end.message, limits.message) }
    const { live, summary } = log.current
    if (!live || summary.generation !== data.generation) return
    closeOpen(log, data.message)
    log.add(actor, { type: 'generation.ended', data })
    const { desired, turn } = log.current.summary
    if (desired !== 'running')
      endTurn(log, { result: 'interrupted', code: 'stopped', message: 'The session was stopped.' })
    else if (turn?.interrupting === true)
      endTurn(log, { result: 'interrupted', code: 'interrupted', message: 'Interrupted.' })
    else if (turn !== undefined && turn.attempt >= maxAttempts)
      endTurn(log, {
        result: 'failed',
        code: 'crashed',
        message: `The runner was lost twice during this turn. ${data.message}`,
      })
  },
  fail: (log, { actor, reason, message }) => {
    if (log.current.summary.status.phase !== 'failed')
      log.add(actor, { type: 'session.failed', data: { reason, message: preview(message, limits.message) } })
  },
  facts: (log, { actor, generation, source, facts }) => {
    const { live, summary, previous } = log.current
    if (!live || generation !== summary.generation)
      throw new BerthError(
        'fenced',
        `Generation ${generation} is over; ${summary.generation} is the current one.`,
      )
    if (source !== generation && source !== previous?.generation)
      throw new BerthError('fenced', `Generation ${source} can hand over nothing any more.`)
    for (const { n, at, type, data } of facts) {
      const last = source === generation ? log.current.n : (log.current.previous?.n ?? 0)
      if (n <= last) continue
      if (n !== last + 1) throw new BerthError('fact_gap', `Fact ${last + 1} is missing before ${n}.`)
      const wasReady = log.current.ready
      const place = { at: plausible(at, log.context.at), generation: source, n }
      log.add(actor, { type, data } as NewEvent, place)
      if (source !== generation) continue
      if (type === 'runner.started') closeOpen(log, 'The runner before was lost.')
      if (type === 'agent.ready' && !wasReady) continueTurn(log)
      if (type === 'turn.ended' || type === 'agent.ready') dispatch(log)
    }
  },
  usage: (log, { actor, data }) => log.add(actor, { type: 'model.usage', data }),
  'model-error': (log, { actor, data }) => log.add(actor, { type: 'model.error', data }),
}

/** A runner's clock is not trusted: a time in the future becomes now. */
const plausible = (at: string, now: string): string => (at > now ? now : at)
