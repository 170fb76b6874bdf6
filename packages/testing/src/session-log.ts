import type {
  Actor,
  EventData,
  Fact,
  OperationRequest,
  PermissionDecision,
  SessionLimits,
  SessionSettings,
  SessionState,
  StoredBlock,
} from '@berth/contract'
import fc from 'fast-check'
import { CountedIds } from './counted-ids.ts'
import { type Roll, RunnerFacts } from './runner-facts.ts'

const people: Actor = { kind: 'user', id: 'ada', name: 'Ada' }
const backend: Actor = { kind: 'backend', id: 'backend' }
const runner: Actor = { kind: 'runner', id: 'runner' }

/** What a project sets about budgets, and has used. */
interface LogSpending {
  settings: {
    budgetUsd?: number
    budgetTokens?: number
    userBudgetUsd?: number
    dayBudgetTokens?: number
    projectBudgetUsd?: number
  }
  user: string
  at: string
  used: { [S in 'project' | 'day' | 'user']: { usd: number; tokens: number } }
}

/** What people, the backend and runners do to a session: the backend's commands by their shape. */
export type LogInput = { actor: Actor } & (
  | {
      kind: 'create'
      session: string
      project: string
      title: string
      labels: Record<string, string>
      repositories: []
      settings: SessionSettings
      model: 'live' | 'scripted'
    }
  | { kind: 'update'; title: string; expectedVersion: number }
  | { kind: 'prompt'; prompt: string; content: StoredBlock[] }
  | { kind: 'withdraw'; prompt: string }
  | { kind: 'interrupt' | 'restore' }
  | { kind: 'resume'; spending?: LogSpending }
  | { kind: 'decide'; request: string; decision: PermissionDecision }
  | { kind: 'answer'; request: string; answers: Record<string, string> }
  | { kind: 'stop'; reason: 'user' | 'idle' | 'completed' | 'budget' }
  | { kind: 'delete'; purgeAt: string }
  | { kind: 'launch'; runtime: string }
  | { kind: 'end'; generation: number; reason: 'crashed' | 'exited'; message: string; retryAt?: string }
  | { kind: 'fail'; reason: 'crash-loop'; message: string }
  | { kind: 'set'; settings: SessionSettings; limits: SessionLimits; expectedVersion: number }
  | { kind: 'limits'; limits: SessionLimits }
  | { kind: 'wait'; reason: 'sessions' | 'memory'; message: string; position: number }
  | { kind: 'enforce' | 'warn' }
  | { kind: 'facts'; generation: number; source: number; facts: Fact[] }
  | { kind: 'usage'; data: EventData<'model.usage'>; spending?: LogSpending }
  | { kind: 'budget'; generation: number; spending: LogSpending }
  | { kind: 'operate'; operation: string; request: OperationRequest }
  | { kind: 'cancel-operation'; operation: string; message: string }
  | { kind: 'model-error'; data: EventData<'model.error'> }
)

/** One thing that happens to a session, with its time (milliseconds since 1970) and the id of the turn it may start. */
export interface LogStep {
  command: LogInput
  now: number
  turn: string
}

const roll: fc.Arbitrary<Roll> = fc.record({
  act: fc.nat(9999),
  size: fc.nat(99),
  pick: fc.nat(999),
  text: fc.string({ minLength: 1, maxLength: 30, unit: 'binary' }),
})

/** Choices for a session's life; `SessionLog` makes steps of them. */
export const sessionRolls = (maxLength: number): fc.Arbitrary<Roll[]> =>
  fc.array(roll, { minLength: 1, maxLength, size: 'max' })

type Choice = (log: SessionLog, state: SessionState, roll: Roll) => LogInput | undefined

/** A session's life, one step at a time: each fits the state that it is given, or nearly (some are refused). */
export class SessionLog {
  readonly session: string
  readonly ids: CountedIds
  readonly facts: RunnerFacts
  readonly #project: string

  /** `seed` makes the ids of several logs differ; `now` is the time of the first step. */
  constructor({ project, seed, now }: { project: string; seed: number; now: number }) {
    this.ids = new CountedIds(seed, now)
    this.session = this.ids.make('session')
    this.facts = new RunnerFacts(this.ids)
    this.#project = project
  }

  get at(): string {
    return new Date(this.ids.now).toISOString()
  }

  next(state: SessionState | undefined, roll: Roll): LogStep {
    this.ids.now += 1 + (roll.pick % 5000)
    const command = state === undefined ? this.#create(roll) : this.#choose(state, roll)
    return { command, now: this.ids.now, turn: this.ids.make('turn') }
  }

  #create({ text, pick }: Roll): LogInput {
    return {
      kind: 'create',
      actor: people,
      session: this.session,
      project: this.#project,
      title: `Session ${text.trim()}`,
      labels: pick % 2 === 0 ? { team: `t${pick % 3}` } : {},
      repositories: [],
      settings: {},
      model: 'scripted',
    }
  }

  #choose(state: SessionState, roll: Roll): LogInput {
    const choices = state.live ? whileLive : whileGone
    const choice = choices[roll.act % choices.length]
    return choice?.(this, state, roll) ?? prompt(this, state, roll) ?? { kind: 'resume', actor: people }
  }
}

const prompt: Choice = ({ ids }, { summary }, { text }) =>
  summary.queue.length > 5
    ? undefined
    : {
        kind: 'prompt',
        actor: people,
        prompt: ids.make('prompt'),
        content: [{ type: 'text', text }],
      }

const withdraw: Choice = (_, { summary }, { pick }) => {
  const queued = summary.queue[pick % Math.max(1, summary.queue.length)] ?? summary.turn
  return queued && { kind: 'withdraw', actor: people, prompt: queued.prompt }
}

const reply: Choice = (_, { summary }, { pick, text }) => {
  const open = summary.requests[pick % Math.max(1, summary.requests.length)]
  if (open === undefined) return undefined
  const { request, kind } = open
  if (kind === 'question') return { kind: 'answer', actor: people, request, answers: { q: text } }
  const decision: PermissionDecision =
    pick % 2 === 0 ? { behavior: 'allow', scope: 'once' } : { behavior: 'deny', interrupt: false }
  return { kind: 'decide', actor: people, request, decision }
}

const interrupt: Choice = () => ({ kind: 'interrupt', actor: people })
const resume: Choice = (log, _, roll) =>
  roll.pick % 2 === 0
    ? { kind: 'resume', actor: people }
    : { kind: 'resume', actor: people, spending: spending(log, roll) }

/** Budgets that are raised, lowered and spent between any two commands. */
const spending = ({ at }: SessionLog, { pick, size }: Roll): LogSpending => ({
  settings: {
    budgetUsd: [undefined, 0.2, 0.5, 1, 100][pick % 5],
    budgetTokens: [undefined, 500, 1_000_000][size % 3],
    userBudgetUsd: [undefined, undefined, undefined, 4][pick % 4],
    dayBudgetTokens: [undefined, undefined, undefined, undefined, 800][size % 5],
    projectBudgetUsd: [undefined, undefined, 5][pick % 3],
  },
  user: pick % 2 === 0 ? 'ada' : 'bob',
  at: pick % 11 === 0 ? '2000-01-31T00:00:00.000Z' : at,
  used: {
    project: { usd: size / 10, tokens: 0 },
    day: { usd: size / 20, tokens: size * 10 },
    user: { usd: size / 15, tokens: 0 },
  },
})

const budget: Choice = (log, { summary }, roll) => ({
  kind: 'budget',
  actor: backend,
  generation: roll.pick % 7 === 0 ? Math.max(1, summary.generation - 1) : summary.generation,
  spending: spending(log, roll),
})

const stopReasons = ['user', 'idle', 'completed', 'budget'] as const
const stop: Choice = (_, __, { pick }) => ({
  kind: 'stop',
  actor: pick % 2 === 0 ? people : backend,
  reason: stopReasons[pick % stopReasons.length] ?? 'user',
})

const remove: Choice = ({ ids }, { summary }, { pick }) => {
  if (summary.desired === 'deleted') return { kind: 'restore', actor: people }
  const purgeAt = new Date(ids.now + 86_400_000).toISOString()
  return pick % 3 === 0 ? { kind: 'delete', actor: people, purgeAt } : undefined
}

const update: Choice = (_, { summary }, { text, pick }) => ({
  kind: 'update',
  actor: people,
  title: `Renamed ${text.trim()}`,
  expectedVersion: pick % 5 === 0 ? summary.version + 1 : summary.version,
})

const launch: Choice = () => ({ kind: 'launch', actor: backend, runtime: 'fake' })

const end: Choice = ({ ids }, { summary }, { pick }) => ({
  kind: 'end',
  actor: backend,
  generation: pick % 7 === 0 ? Math.max(1, summary.generation - 1) : summary.generation,
  reason: pick % 2 === 0 ? 'crashed' : 'exited',
  message: 'The runner ended.',
  retryAt: pick % 3 === 0 ? new Date(ids.now + 1000).toISOString() : undefined,
})

const fail: Choice = (_, __, { pick }) =>
  pick % 3 === 0
    ? { kind: 'fail', actor: backend, reason: 'crash-loop', message: 'It was lost too often.' }
    : undefined

const wait: Choice = (_, __, { pick }) => ({
  kind: 'wait',
  actor: backend,
  reason: pick % 2 === 0 ? 'sessions' : 'memory',
  message: 'There is no room.',
  position: 1 + (pick % 9),
})

/** Limits that are reached now and then in a random life. */
const limitsFrom = (pick: number): SessionLimits => ({
  idleMinutes: pick % 3 === 0 ? 0.05 : 0,
  deadlineMinutes: pick % 4 === 0 ? 2 : undefined,
  maxTurns: pick % 5 === 0 ? 3 : undefined,
  stopWhenDone: pick % 7 === 0,
})

const set: Choice = (_, { summary }, { pick }) => {
  const values = limitsFrom(pick)
  // The fold of what was read back from JSON has no fields that are undefined.
  const limits = JSON.parse(JSON.stringify(values)) as SessionLimits
  return { kind: 'set', actor: people, settings: limits, limits, expectedVersion: summary.version }
}

const limits: Choice = (_, __, { pick }) => ({
  kind: 'limits',
  actor: backend,
  limits: JSON.parse(JSON.stringify(limitsFrom(pick))) as SessionLimits,
})

const enforce: Choice = (_, __, { pick }) => ({ kind: pick % 3 === 0 ? 'warn' : 'enforce', actor: backend })

const operate: Choice = ({ ids }, _, { text }) => ({
  kind: 'operate',
  actor: people,
  operation: ids.make('operation'),
  request: { kind: 'list', path: '', after: text },
})

const cancelOperation: Choice = (_, { operations }, { pick }) => {
  const operation = operations[pick % Math.max(1, operations.length)]
  if (operation === undefined) return undefined
  return { kind: 'cancel-operation', actor: backend, operation, message: 'Nobody waits.' }
}

const usage: Choice = (log, { summary }, roll) =>
  usageOf(summary, roll.pick, roll.size % 2 === 0 ? undefined : spending(log, roll))

const usageOf = (
  summary: SessionState['summary'],
  pick: number,
  spent: LogSpending | undefined,
): LogInput => ({
  kind: 'usage',
  actor: backend,
  spending: spent,
  data: {
    turn: summary.turn?.turn,
    model: 'model',
    inputTokens: pick,
    outputTokens: pick,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    costUsd: pick % 9 === 0 ? null : 0.25,
    durationMs: pick,
    partial: false,
  },
})

const facts: Choice = (log, state, roll) => {
  const { generation } = state.summary
  const batch = log.facts.batch(state, roll, log.at)
  if (batch.length === 0) return undefined
  return { kind: 'facts', actor: runner, generation, source: generation, facts: batch }
}

/** What the runner before left, or facts of a generation that is over (refused). */
const lateFacts: Choice = (log, state, roll) => {
  const { previous, summary } = state
  if (previous === undefined) return undefined
  const late = log.facts.leftovers(state, roll, log.at)
  if (late.length === 0) return undefined
  const generation = roll.pick % 5 === 0 ? previous.generation : summary.generation
  return { kind: 'facts', actor: runner, generation, source: previous.generation, facts: late }
}

const whileGone: Choice[] = [
  ...[launch, launch, launch, launch, launch, resume, resume, resume],
  ...[prompt, prompt, withdraw, interrupt, stop, remove, update, fail, reply, operate, wait, set],
]

const whileLive: Choice[] = [
  ...[set, limits, enforce, enforce],
  ...Array.from({ length: 24 }, () => facts),
  ...[prompt, prompt, prompt, reply, reply, reply],
  ...[
    withdraw,
    interrupt,
    stop,
    resume,
    remove,
    update,
    end,
    end,
    fail,
    usage,
    usage,
    budget,
    budget,
    lateFacts,
    lateFacts,
  ],
  ...[operate, operate, cancelOperation],
]
