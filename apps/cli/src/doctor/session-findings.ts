import {
  type AnyEvent,
  budgetOwner,
  budgetSettings,
  type EventOf,
  type Finding,
  type ProjectQueue,
  type SessionSettingsView,
  type SessionSummary,
  type StopReason,
} from '@berth/contract'
import { budgetText } from '../render/amounts.ts'
import { age, duration, moment } from '../render/duration.ts'
import { roomText, waitText } from '../render/queue.ts'
import { shortId } from '../session-ref.ts'

/** All that is known about what a session waits for. */
export interface SessionFacts {
  session: SessionSummary
  settings: Pick<SessionSettingsView, 'effective' | 'origins'>
  queue: ProjectQueue
  /** The last ones, oldest first. */
  events: readonly AnyEvent[]
  now: number
  /** How the command is called. */
  berth: string
}

type Phase = SessionSummary['status']['phase']
type Status<P extends Phase> = Extract<SessionSummary['status'], { phase: P }>
type Explain<P extends Phase> = (status: Status<P>, facts: SessionFacts) => Finding

/** What a session waits for, first of all, then what else a person should know; with the command that helps. */
export const sessionFindings = (facts: SessionFacts): Finding[] => [
  mainFinding(facts),
  ...repositoryFindings(facts),
  ...promptFindings(facts),
  ...troubleFindings(facts),
]

const mainFinding = (facts: SessionFacts): Finding => {
  const { session, berth } = facts
  if (session.deletedAt !== undefined)
    return {
      name: 'deleted',
      state: 'warn',
      detail: `It was deleted${session.purgeAt === undefined ? '' : ` and is purged ${moment(session.purgeAt)}`}.`,
      repair: `To take that back: ${berth} rm --restore ${shortId(session.id)}`,
    }
  const explain = phases[session.status.phase] as Explain<Phase>
  return explain(session.status, facts)
}

const pending: Explain<'pending'> = (status, { session, queue, now, berth }) => {
  const name = 'pending'
  if (status.reason === 'backoff')
    return {
      name,
      state: 'warn',
      detail: `Its runner was lost ${session.restarts} times since its last turn; the next one starts ${retryText(status.retryAt, now)}. The last one: ${status.message ?? 'no reason is known'}`,
      repair: `What it wrote: ${berth} logs ${shortId(session.id)}`,
    }
  const place = queue.items.find((item) => item.session === session.id)
  if (place === undefined && status.reason === 'capacity')
    return { name, state: 'ok', detail: 'There is room for it now: it is about to start.' }
  if (place === undefined)
    return {
      name,
      state: 'ok',
      detail: `It is about to start; it waits ${age(status.since, now)}.`,
    }
  return {
    name,
    state: 'warn',
    detail: `It waits for room, at place ${place.position} in the queue, because ${waitText(place.reason)}. ${roomText(queue.capacity)}.`,
    repair: roomRepair(place.reason, session.project, berth),
  }
}

const roomRepair = (
  reason: ProjectQueue['items'][number]['reason'],
  project: string,
  berth: string,
): string => {
  if (reason === 'project-sessions')
    return `Stop one that has done its work (${berth} ls, ${berth} stop SESSION), or raise the project’s limit: ${berth} project set ${project} liveSessions=…`
  if (reason === 'project-memory' || reason === 'project-cpus') {
    const [own, quota] = reason === 'project-cpus' ? ['cpus', 'quotaCpus'] : ['memoryMiB', 'quotaMemoryMiB']
    return `Stop one that has done its work (${berth} ls, ${berth} stop SESSION), give this one less (${berth} settings SESSION ${own}=…), or raise the project’s quota: ${berth} project set ${project} ${quota}=…`
  }
  const variable = reason === 'memory' ? 'BERTH_MEMORY_MIB' : 'BERTH_MAX_LIVE_SESSIONS'
  return `Stop one that has done its work (${berth} ls, ${berth} stop SESSION), or have the operator raise ${variable}.`
}

const retryText = (retryAt: string | undefined, now: number): string => {
  const left = retryAt === undefined ? 0 : Date.parse(retryAt) - now
  return left <= 0 ? 'at once' : `in ${duration(left)}`
}

const starting: Explain<'starting'> = (status, { session, events, now, berth }) => {
  const open = new Map<string, string>()
  for (const event of events) {
    if (event.type === 'generation.started') open.clear()
    if (event.type !== 'start.step') continue
    const { step, item, state } = event.data
    const text = item === undefined ? step : `${step} ${item}`
    if (state === 'started') open.set(text, event.at)
    else open.delete(text)
  }
  const steps = [...open].map(([text, at]) => `${text} (for ${duration(now - Date.parse(at))})`)
  return {
    name: 'starting',
    state: 'ok',
    detail: `It starts, since ${duration(now - Date.parse(status.since))}${steps.length > 0 ? `; under way: ${steps.join(', ')}` : ''}. To watch: ${berth} attach ${shortId(session.id)}`,
  }
}

const idle: Explain<'idle'> = (_, { session, settings, berth }) => {
  const { idleMinutes } = settings.effective
  const sleep = idleMinutes === 0 ? '' : ` After ${idleMinutes} minutes without work it falls asleep.`
  return {
    name: 'idle',
    state: 'ok',
    detail: `It waits for a prompt.${sleep} Send one: ${berth} prompt ${shortId(session.id)} "…"`,
  }
}

const working: Explain<'working'> = (_, { session, settings, events, now, berth }) => {
  const { turn, activity } = session
  const last = events.at(-1)
  const began = turn === undefined ? '' : ` for ${duration(now - Date.parse(turn.startedAt))}`
  const heard =
    last === undefined ? '' : ` The last sign of it came ${duration(now - Date.parse(last.at))} ago.`
  return {
    name: 'working',
    state: 'ok',
    detail: `The agent works on a prompt${began} (${activity}).${heard} A turn is interrupted after ${settings.effective.turnMinutes} minutes. To stop it now: ${berth} interrupt ${shortId(session.id)}`,
  }
}

const waiting: Explain<'waiting'> = (_, { session, berth }) => {
  const asked = session.requests.map(({ title, detail }) => `${title}: ${detail}`).join('; ')
  return {
    name: 'waiting',
    state: 'warn',
    detail: `It needs an answer from a person, and waits for as long as that takes: ${asked}`,
    repair: `Answer: ${berth} attach ${shortId(session.id)}`,
  }
}

const stopping: Explain<'stopping'> = (status, { now }) => ({
  name: 'stopping',
  state: 'ok',
  detail: `It saves its state and stops (${status.reason}), since ${duration(now - Date.parse(status.since))}. After two minutes it is ended by force.`,
})

const stopped: Explain<'stopped'> = (status, facts) => {
  const { session, berth } = facts
  const held = holds[status.reason]?.(facts)
  if (held !== undefined) return { name: 'stopped', state: 'warn', ...held }
  const why: Partial<Record<StopReason, string>> = {
    idle: 'It sleeps: it had nothing to do for a while.',
    completed: 'It was stopped because its work was done.',
  }
  return {
    name: 'stopped',
    state: 'ok',
    detail: `${why[status.reason] ?? 'Somebody stopped it.'} A prompt wakes it, with its conversation and files: ${berth} prompt ${shortId(session.id)} "…"`,
  }
}

type Held = Pick<Finding, 'detail' | 'repair'>

/** Why a session is held back, and how to raise what holds it. */
const holds: Partial<Record<StopReason, (facts: SessionFacts) => Held>> = {
  turns: (facts) => ({
    detail: `It has had ${facts.session.turns} turns, and may have ${facts.settings.effective.maxTurns ?? 'any number by now'} (${originOf(facts, 'maxTurns')}).`,
    repair: raise(facts, 'maxTurns=…'),
  }),
  deadline: (facts) => ({
    detail: `It has run for as long as its deadline allows: ${facts.settings.effective.deadlineMinutes ?? 'any number of'} minutes by now (${originOf(facts, 'deadlineMinutes')}).`,
    repair: raise(facts, 'deadlineMinutes=…'),
  }),
  budget: (facts) => {
    const spent = facts.events.findLast(
      (event): event is EventOf<'budget.reached'> => event.type === 'budget.reached' && event.data.spent,
    )
    const { scope, unit } = spent?.data ?? { scope: 'session', unit: 'usd' }
    const { berth, session } = facts
    const how = spent === undefined ? '' : `: ${budgetText(spent.data)}`
    const short = shortId(session.id)
    const setting = budgetSettings[scope][unit]
    if (spent === undefined || scope === 'session')
      return { detail: `It has spent its budget${how}.`, repair: raise(facts, `${setting}=…`) }
    return {
      detail: `The budget of ${budgetOwner(spent.data)} is spent${how}.`,
      repair: `Raise it: ${berth} project set ${session.project} ${setting}=…, then: ${berth} resume ${short}`,
    }
  },
}

const originOf = ({ settings }: SessionFacts, name: 'maxTurns' | 'deadlineMinutes'): string =>
  `set by the ${settings.origins[name] ?? 'platform'}`

const raise = ({ session, berth }: SessionFacts, setting: string): string => {
  const short = shortId(session.id)
  return `Raise it: ${berth} settings ${short} ${setting}, then: ${berth} resume ${short}`
}

const failed: Explain<'failed'> = (status, { session, berth }) => ({
  name: 'failed',
  state: 'fail',
  detail: `It can’t go on without a person (${status.reason}): ${status.message}`,
  repair: `See ${berth} logs ${shortId(session.id)}, repair the cause, then: ${berth} resume ${shortId(session.id)}`,
})

const phases: { [P in Phase]: Explain<P> } = {
  pending,
  starting,
  idle,
  working,
  waiting,
  stopping,
  stopped,
  failed,
}

const repositoryFindings = ({ session, berth }: SessionFacts): Finding[] =>
  session.repositories
    .filter(({ state }) => state === 'failed')
    .map(({ name, message }) => ({
      name: 'repository',
      state: 'fail' as const,
      detail: `${name} could not be cloned: ${message ?? 'no reason is known'}`,
      repair: `Repair that; ${berth} show ${shortId(session.id)} tells when it is there.`,
    }))

const promptFindings = ({ session }: SessionFacts): Finding[] => {
  const { queue, blockedBy } = session
  if (queue.length === 0) return []
  const count = queue.length === 1 ? '1 prompt waits' : `${queue.length} prompts wait`
  const blocked = blockedBy === undefined ? 'for the agent' : `until the limit is raised (${blockedBy})`
  return [{ name: 'prompts', state: blockedBy === undefined ? 'ok' : 'warn', detail: `${count} ${blocked}.` }]
}

/** What went wrong lately, while it may still matter. */
const troubleFindings = ({ events, session, berth }: SessionFacts): Finding[] => {
  const since = events.findLast((event) => event.type === 'turn.ended')?.seq ?? 0
  const found: Finding[] = []
  for (const event of events) {
    if (event.seq < since) continue
    if (event.type === 'model.error')
      found.push({
        name: 'model',
        state: 'warn',
        detail: `The model refused a request (${event.data.status} ${event.data.type}): ${event.data.message}`,
        repair: `Claude Code tries again by itself. More: ${berth} logs ${shortId(session.id)}`,
      })
    if (event.type === 'session.notice' && event.data.level !== 'info')
      found.push({ name: 'notice', state: 'warn', detail: event.data.message })
  }
  return found.slice(-3)
}
