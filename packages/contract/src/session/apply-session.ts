import { preview } from '../content.ts'
import type { EventOf } from '../events/event.ts'
import { isHold } from '../lifecycle.ts'
import { addUsage } from '../usage.ts'
import { type Appliers, activeAt, dequeue, isCurrent, isPlanned, withSummary } from './edits.ts'
import type { SessionLimits } from './limits.ts'
import { spend, tell } from './spending.ts'
import type { SessionState } from './state.ts'

/** What changes a session as a whole, its queue and its generations. */
export const sessionAppliers: Appliers = {
  'session.updated': (state, { data }) =>
    withSummary(state, {
      title: data.title ?? state.summary.title,
      labels: data.labels ?? state.summary.labels,
      version: state.summary.version + 1,
    }),
  'session.settings_changed': (state, { data, at }) => ({
    ...withSummary(state, { model: data.settings.model, version: state.summary.version + 1 }),
    settings: data.settings,
    ...newLimits(state, data.limits),
    activeAt: activeAt(state, at),
  }),
  'session.shared': (state, { data }) => ({
    ...withSummary(state, { visibility: data.visibility, version: state.summary.version + 1 }),
    shares: data.shares,
  }),
  'session.limits_changed': (state, { data }) => ({ ...state, ...newLimits(state, data.limits) }),
  'session.notice': (state, { data }) => ({
    ...state,
    deadlineWarned: state.deadlineWarned || data.about === 'deadline',
    spending: data.about === 'no-price' ? { ...state.spending, unpriced: true } : state.spending,
  }),
  'secrets.shown': (state, { data }) =>
    withSummary(state, { agentSecrets: data.secrets.length === 0 ? undefined : data.secrets }),
  'session.stop_requested': (state, { data }) => {
    const { status, turn } = state.summary
    const stops = status.phase === 'stopped' || status.phase === 'stopping'
    return withSummary(state, {
      desired: 'stopped',
      status: stops ? { ...status, reason: data.reason } : status,
      // Whoever stops a session for good gives up the turn that was only paused.
      turn: turn && !isHold(data.reason) ? { ...turn, paused: undefined } : turn,
    })
  },
  // A pause lasts until the turn really goes on: a runner that is still on its way out loses nothing.
  'session.resume_requested': (state, { at }) => ({
    ...withSummary(state, { desired: 'running', restarts: 0 }),
    activeAt: activeAt(state, at),
  }),
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
  'session.waits': (state, { data }) =>
    state.summary.status.phase === 'pending'
      ? withSummary(state, {
          // It has waited since then, whatever for.
          status: {
            phase: 'pending',
            since: state.summary.status.since,
            reason: 'capacity',
            message: data.message,
          },
        })
      : state,
  'prompt.queued': (state, { data, seq, at, actor }) => ({
    ...withSummary(state, {
      queue: [
        ...state.summary.queue,
        { prompt: data.prompt, seq, at, sender: actor, preview: promptPreview(data.content) },
      ],
    }),
    activeAt: activeAt(state, at),
  }),
  'prompt.withdrawn': (state, { data }) => withSummary(state, { queue: dequeue(state, data.prompt) }),
  'generation.started': (state, { data, at }) => ({
    ...withSummary(state, { generation: data.generation }),
    ...newLimits(state, data.limits ?? state.limits),
    memoryMiB: data.memoryMiB,
    cpus: data.cpus,
    live: true,
    liveSince: at,
    connected: false,
    ready: false,
    n: 0,
    runtimeSteps: { steps: {}, told: 0 },
    // One that stored nothing has not handed over what it found, so that is still to come.
    previous: (state.n === 0 ? state.previous : undefined) ?? lastPlace(state),
  }),
  'generation.step': (state, { data }) => ({
    ...state,
    runtimeSteps: {
      steps: { ...state.runtimeSteps.steps, [data.step]: data.state },
      told: state.runtimeSteps.told + 1,
    },
  }),
  'generation.ended': (state, { data, at }) => ({
    ...withSummary(state, {
      restarts: state.summary.restarts + (isPlanned(state) ? 0 : 1),
      resources: undefined,
      turn: afterLoss(state),
    }),
    live: false,
    liveSince: undefined,
    ranMs: state.ranMs + ranSince(state.liveSince, at),
    connected: false,
    ready: false,
    lastEnd: { reason: data.reason, message: data.message, at },
  }),
  'runner.started': (state, event) => (isCurrent(state, event) ? { ...state, connected: true } : state),
  'agent.ready': (state, event) =>
    isCurrent(state, event)
      ? {
          ...state,
          ready: true,
          conversation: event.data.conversation ?? state.conversation,
          // Whoever waited for a start may use it for a while.
          activeAt: state.ready ? state.activeAt : activeAt(state, event.at),
        }
      : state,
  'isolation.tested': (state, { data }) => withSummary(state, { sandboxed: data.sandboxed }),
  'agent.resources': (state, event) =>
    isCurrent(state, event) && state.live
      ? withSummary(state, { resources: { ...event.data, at: event.at } })
      : state,
  'agent.mcp': (state, { data }) =>
    withSummary(state, { mcp: data.servers.map(({ name, status }) => ({ name, status })) }),
  'workflow.loaded': (state, { data }) => {
    const { name, url, commit, description } = data
    return withSummary(state, { workflow: { name, url, commit, description } })
  },
  'model.usage': (state, { data }) => ({
    ...withSummary(state, { usage: addUsage(state.summary.usage, { requests: 1, ...data }) }),
    spending: spend(state.spending, data),
  }),
  'budget.reached': (state, event) => ({ ...state, spending: tell(state.spending, event) }),
}

/** Under another deadline, people are warned anew. */
const newLimits = (state: SessionState, limits: SessionLimits) => ({
  limits,
  deadlineWarned: state.deadlineWarned && limits.deadlineMinutes === state.limits.deadlineMinutes,
})

/** A turn that was being worked on has lost a runner; one that was paused, or waits for the agent, has not. */
const afterLoss = ({ ready, summary: { turn } }: SessionState) =>
  turn !== undefined && turn.paused === undefined && ready ? { ...turn, losses: turn.losses + 1 } : turn

/** Milliseconds between two times of the log. */
const ranSince = (since: string | undefined, at: string): number =>
  since === undefined ? 0 : Math.max(0, Date.parse(at) - Date.parse(since))

const lastPlace = ({ summary, n }: SessionState) =>
  summary.generation > 0 ? { generation: summary.generation, n } : undefined

const promptPreview = (content: EventOf<'prompt.queued'>['data']['content']): string => {
  const text = content.find((block) => block.type === 'text')
  return preview((text?.text ?? '(no text)').trim().replace(/\s+/g, ' '), 200)
}
