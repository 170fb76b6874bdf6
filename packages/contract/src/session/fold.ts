import { noDiff } from '../changes.ts'
import { preview } from '../content.ts'
import type { AnyEvent, Event, EventOf } from '../events/event.ts'
import { nextPhase, type SessionStatus, type Signal, type StopReason } from '../lifecycle.ts'
import { repositoryName } from '../repository.ts'
import { addUsage, noUsage } from '../usage.ts'
import type { SessionState } from './state.ts'
import type { SessionSummary } from './summary.ts'

/** The state after an event. Pure; the first event of a log must be `session.created`. */
export const foldSession = (state: SessionState | undefined, event: AnyEvent): SessionState => {
  if (state === undefined) {
    if (event.type !== 'session.created')
      throw new Error(`a log begins with session.created, not ${event.type}`)
    return created(event)
  }
  const next = { ...state, ...factPlaces(state, event), summary: { ...state.summary, seq: event.seq } }
  if (event.type === 'unknown') return next
  const after = apply(next, event)
  const moved = signals(state, after, event).reduce((current, signal) => move(current, signal, event), after)
  return describe(state, moved, event)
}

/** How far the facts of the current generation, and those of the one before, are stored. */
const factPlaces = (state: SessionState, event: AnyEvent): Partial<SessionState> => {
  const { generation, n } = event
  if (generation === undefined || n === undefined) return {}
  if (generation === state.summary.generation) return { n }
  return state.previous?.generation === generation ? { previous: { generation, n } } : {}
}

const lastPlace = ({ summary, n }: SessionState) =>
  summary.generation > 0 ? { generation: summary.generation, n } : undefined

/** A fact that the generation before left on disk says nothing about the runner of now. */
const isCurrent = (state: SessionState, event: AnyEvent) => event.generation === state.summary.generation

const created = (event: EventOf<'session.created'>): SessionState => {
  const { session, project, title, labels, repositories, settings, model } = event.data
  return {
    summary: {
      id: session,
      project,
      title,
      labels,
      owner: event.actor,
      createdAt: event.at,
      updatedAt: event.at,
      version: 1,
      seq: event.seq,
      desired: 'running',
      status: { phase: 'pending', since: event.at, reason: 'queued' },
      activity: 'Waiting to start',
      modelSource: model,
      model: settings.model,
      repositories: repositories.map((item) => ({
        name: item.name ?? repositoryName(item.url),
        url: item.url,
        branch: item.branch,
        diff: noDiff,
      })),
      diff: noDiff,
      usage: noUsage,
      turns: 0,
      queue: [],
      requests: [],
      generation: 0,
      restarts: 0,
    },
    settings,
    live: false,
    connected: false,
    ready: false,
    n: 0,
    previous: undefined,
    openBlocks: [],
    conversation: undefined,
    lastEnd: undefined,
    activeAt: event.at,
  }
}

type Appliers = { [T in Event['type']]?: (state: SessionState, event: EventOf<T>) => SessionState }

const withSummary = (state: SessionState, changes: Partial<SessionSummary>): SessionState => ({
  ...state,
  summary: { ...state.summary, ...changes },
})

const without = (state: SessionState, request: string): SessionState =>
  withSummary(state, { requests: state.summary.requests.filter((open) => open.request !== request) })

const closeBlock = (state: SessionState, block: string): SessionState => ({
  ...state,
  openBlocks: state.openBlocks.filter((open) => open !== block),
})

const appliers: Appliers = {
  'session.updated': (state, { data }) =>
    withSummary(state, {
      title: data.title ?? state.summary.title,
      labels: data.labels ?? state.summary.labels,
      version: state.summary.version + 1,
    }),
  'session.stop_requested': (state) => withSummary(state, { desired: 'stopped' }),
  'session.resume_requested': (state) => withSummary(state, { desired: 'running', restarts: 0 }),
  'session.deleted': (state, { at, data }) =>
    withSummary(state, { desired: 'deleted', deletedAt: at, purgeAt: data.purgeAt }),
  'session.restored': (state) => {
    const { status } = state.summary
    const isDeleted =
      (status.phase === 'stopped' || status.phase === 'stopping') && status.reason === 'deleted'
    return withSummary(state, {
      desired: 'stopped',
      deletedAt: undefined,
      purgeAt: undefined,
      status: isDeleted ? { ...status, reason: 'user' } : status,
    })
  },
  'prompt.queued': (state, { data, seq, at, actor }) => ({
    ...withSummary(state, {
      queue: [
        ...state.summary.queue,
        { prompt: data.prompt, seq, at, sender: actor, preview: promptPreview(data.content) },
      ],
    }),
    activeAt: at,
  }),
  'prompt.withdrawn': (state, { data }) => withSummary(state, { queue: dequeue(state, data.prompt) }),
  'generation.started': (state, { data }) => ({
    ...withSummary(state, { generation: data.generation }),
    live: true,
    connected: false,
    ready: false,
    n: 0,
    // One that stored nothing has not handed over what it found, so that is still to come.
    previous: (state.n === 0 ? state.previous : undefined) ?? lastPlace(state),
  }),
  'generation.ended': (state, { data, at }) => ({
    ...withSummary(state, {
      restarts: state.summary.restarts + (isPlanned(state) ? 0 : 1),
    }),
    live: false,
    connected: false,
    ready: false,
    lastEnd: { reason: data.reason, message: data.message, at },
  }),
  'turn.started': (state, { data, at }) => ({
    ...withSummary(state, {
      turn: {
        turn: data.turn,
        prompt: data.prompt,
        promptSeq: data.promptSeq,
        attempt: data.attempt,
        startedAt: state.summary.turn?.turn === data.turn ? state.summary.turn.startedAt : at,
        preview:
          state.summary.queue.find((queued) => queued.prompt === data.prompt)?.preview ??
          state.summary.turn?.preview ??
          '',
        interrupting: false,
      },
      queue: dequeue(state, data.prompt),
      turns: data.attempt === 1 ? state.summary.turns + 1 : state.summary.turns,
    }),
    activeAt: at,
  }),
  'turn.interrupt_requested': (state, { data }) =>
    state.summary.turn?.turn === data.turn
      ? withSummary(state, { turn: { ...state.summary.turn, interrupting: true } })
      : state,
  // An attempt that was given up may still tell its end: it says nothing about the one that runs.
  'turn.ended': (state, { data, at }) =>
    state.summary.turn?.turn === data.turn && state.summary.turn.attempt === data.attempt
      ? {
          ...withSummary(state, {
            turn: undefined,
            restarts: data.result === 'failed' ? state.summary.restarts : 0,
            lastTurn: {
              turn: data.turn,
              result: data.result,
              code: data.code,
              message: preview(data.message, 1000),
              endedAt: at,
            },
          }),
          activeAt: at,
        }
      : state,
  'permission.requested': (state, { data, seq, at }) =>
    withSummary(state, {
      requests: [
        ...state.summary.requests,
        {
          request: data.request,
          kind: 'permission',
          turn: data.turn,
          title: data.tool,
          detail: data.detail,
          at,
          seq,
        },
      ],
    }),
  'question.asked': (state, { data, seq, at }) =>
    withSummary(state, {
      requests: [
        ...state.summary.requests,
        {
          request: data.request,
          kind: 'question',
          turn: data.turn,
          title: data.questions[0]?.header ?? 'Question',
          detail: preview(data.questions[0]?.question ?? '', 1000),
          at,
          seq,
        },
      ],
    }),
  'permission.decided': (state, { data, at }) => ({ ...without(state, data.request), activeAt: at }),
  'question.answered': (state, { data, at }) => ({ ...without(state, data.request), activeAt: at }),
  'request.cancelled': (state, { data }) => without(state, data.request),
  'request.withdrawn': (state, { data }) => without(state, data.request),
  'block.started': (state, { data }) => ({ ...state, openBlocks: [...state.openBlocks, data.block] }),
  'block.completed': (state, { data }) => closeBlock(state, data.block),
  'block.aborted': (state, { data }) => closeBlock(state, data.block),
  'runner.started': (state, event) => (isCurrent(state, event) ? { ...state, connected: true } : state),
  'agent.ready': (state, event) =>
    isCurrent(state, event)
      ? { ...state, ready: true, conversation: event.data.conversation ?? state.conversation }
      : state,
  'isolation.tested': (state, { data }) => withSummary(state, { sandboxed: data.sandboxed }),
  'workspace.ready': (state, { data }) =>
    withSummary(state, {
      repositories: data.repositories.map((item) => ({
        ...item,
        diff: state.summary.repositories.find((known) => known.name === item.name)?.diff ?? noDiff,
      })),
    }),
  'workspace.snapshot': (state, { data }) => {
    const repositories = state.summary.repositories.map((item) => ({
      ...item,
      diff: data.repositories.find((snapshot) => snapshot.name === item.name)?.total ?? item.diff,
    }))
    // A session without repositories has one snapshot, of the workspace itself.
    const others = data.repositories.filter(({ name }) => !repositories.some((item) => item.name === name))
    const diff = [...repositories.map((item) => item.diff), ...others.map(({ total }) => total)].reduce(
      (sum, item) => ({
        files: sum.files + item.files,
        insertions: sum.insertions + item.insertions,
        deletions: sum.deletions + item.deletions,
      }),
      noDiff,
    )
    return withSummary(state, { repositories, diff })
  },
  'model.usage': (state, { data }) =>
    withSummary(state, { usage: addUsage(state.summary.usage, { requests: 1, ...data }) }),
}

const apply = (state: SessionState, event: Event): SessionState => {
  const applier = appliers[event.type] as ((state: SessionState, event: Event) => SessionState) | undefined
  return applier === undefined ? state : applier(state, event)
}

/** A stop was asked for before the runner ended. */
const isPlanned = (state: SessionState) =>
  state.summary.desired !== 'running' || state.summary.status.phase === 'stopping'

const dequeue = (state: SessionState, prompt: string) =>
  state.summary.queue.filter((queued) => queued.prompt !== prompt)

const promptPreview = (content: EventOf<'prompt.queued'>['data']['content']): string => {
  const text = content.find((block) => block.type === 'text')
  return preview((text?.text ?? '(no text)').trim().replace(/\s+/g, ' '), 200)
}

/** The signals that an event gives, seen from the state before and after its data was applied. */
const signals = (before: SessionState, after: SessionState, event: Event): Signal[] => {
  switch (event.type) {
    case 'generation.started':
      return ['launch']
    case 'agent.ready':
      return isCurrent(after, event) ? ['ready'] : []
    case 'turn.started':
      return ['turn']
    case 'turn.ended':
      return after.summary.turn === undefined && before.summary.turn !== undefined ? ['rest'] : []
    case 'permission.requested':
    case 'question.asked':
      return ['ask']
    case 'permission.decided':
    case 'question.answered':
    case 'request.cancelled':
    case 'request.withdrawn':
      return after.summary.requests.length === 0 && after.summary.turn !== undefined ? ['answer'] : []
    case 'session.stop_requested':
    case 'session.deleted':
      return ['stop']
    case 'generation.ended':
      return [after.summary.desired === 'running' ? 'lost' : 'exit']
    case 'session.failed':
      return ['fail']
    case 'start.failed':
      return isCurrent(after, event) ? ['fail'] : []
    case 'session.resume_requested':
      return ['resume']
    default:
      return []
  }
}

const move = (state: SessionState, signal: Signal, event: Event): SessionState => {
  const { status } = state.summary
  const next = nextPhase(status.phase, signal)
  if (next === status.phase) return state
  return withSummary(state, { status: statusOf(next, state, event) })
}

const statusOf = (phase: SessionStatus['phase'], state: SessionState, event: Event): SessionStatus => {
  const since = event.at
  switch (phase) {
    case 'pending': {
      if (event.type !== 'generation.ended' || state.summary.status.phase === 'stopping')
        return { phase, since, reason: 'queued' }
      return { phase, since, reason: 'backoff', message: event.data.message, retryAt: event.data.retryAt }
    }
    case 'stopping':
    case 'stopped':
      return { phase, since, reason: stopReasonOf(state, event) }
    case 'failed': {
      if (event.type === 'session.failed' || event.type === 'start.failed')
        return { phase, since, ...event.data }
      throw new Error(`${event.type} can't fail a session`)
    }
    default:
      return { phase, since }
  }
}

const stopReasonOf = (state: SessionState, event: Event): StopReason => {
  if (event.type === 'session.stop_requested') return event.data.reason
  if (event.type === 'session.deleted') return 'deleted'
  return state.summary.status.phase === 'stopping' ? state.summary.status.reason : 'user'
}

/** Events that change nothing which a list shows. */
const silent = new Set<Event['type']>(['block.delta', 'block.started', 'block.aborted', 'agent.raw'])

const describe = (before: SessionState, after: SessionState, event: Event): SessionState => {
  if (silent.has(event.type)) return after
  return withSummary(after, { activity: activityOf(before, after, event), updatedAt: event.at })
}

const activityOf = (before: SessionState, after: SessionState, event: Event): string => {
  const { status, requests, turn } = after.summary
  switch (status.phase) {
    case 'pending':
      return status.reason === 'backoff'
        ? `Starts again: ${preview(status.message ?? '', 200)}`
        : 'Waiting to start'
    case 'waiting':
      return preview(`Needs an answer: ${requests[0]?.title ?? ''} ${requests[0]?.detail ?? ''}`.trim(), 300)
    case 'stopped':
      return `Stopped (${status.reason})`
    case 'failed':
      return preview(`Failed: ${status.message}`, 300)
    case 'idle':
      return 'Waiting for a prompt'
    case 'stopping':
      return 'Saving and stopping'
    default:
      return (turn?.interrupting === true ? 'Interrupting' : doing(event)) ?? fallback(before, after)
  }
}

const fallback = (before: SessionState, after: SessionState): string => {
  if (before.summary.status.phase === after.summary.status.phase) return before.summary.activity
  return after.summary.status.phase === 'starting' ? 'Starting' : 'Working'
}

const doing = (event: Event): string | undefined => {
  if (event.type === 'agent.status') return event.data.status
  if (event.type === 'agent.retrying') return `The model is tried again (attempt ${event.data.attempt})`
  if (event.type === 'turn.started') return 'Working'
  if (event.type !== 'start.step' || event.data.state !== 'started') return undefined
  const item = event.data.item === undefined ? '' : ` ${event.data.item}`
  return `Starting: ${event.data.step}${item}`
}
