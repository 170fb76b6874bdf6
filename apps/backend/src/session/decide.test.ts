import { type BerthError, limits, type OperationResult } from '@berth/contract'
import { describe, expect, it } from 'vitest'
import type { Command, CommandKind } from './command.ts'
import { backendActor, decide } from './decide.ts'
import * as at from './fixtures/situations.ts'

const { run, prompts, turns } = at

const usage: Command = {
  kind: 'usage',
  actor: backendActor,
  data: {
    model: 'm',
    inputTokens: 1,
    outputTokens: 1,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    costUsd: 0.5,
    durationMs: 1,
    partial: false,
  },
}

const commands: Record<CommandKind, Command> = {
  create: at.create,
  update: { kind: 'update', actor: at.person, title: 'New', expectedVersion: 1 },
  prompt: at.prompt(1),
  withdraw: { kind: 'withdraw', actor: at.person, prompt: prompts[0] },
  interrupt: at.interrupt,
  decide: {
    kind: 'decide',
    actor: at.person,
    request: at.request,
    decision: { behavior: 'allow', scope: 'once' },
  },
  answer: { kind: 'answer', actor: at.person, request: at.request, answers: {} },
  stop: at.stop,
  resume: at.resume,
  delete: at.remove,
  restore: { kind: 'restore', actor: at.person },
  pushed: {
    kind: 'pushed',
    unchanged: false,
    actor: at.person,
    data: { name: 'r', url: '/r', branch: 'b', commit: 'a'.repeat(40), forced: false, checkpoint: 1 },
  },
  'git-pushed': {
    kind: 'git-pushed',
    actor: backendActor,
    data: { name: 'r', url: 'https://a/r', branch: 'b', commit: 'a'.repeat(40) },
  },
  'git-refused': {
    kind: 'git-refused',
    actor: backendActor,
    data: { url: 'https://a/r', message: 'no' },
  },
  'restore-workspace': { kind: 'restore-workspace', actor: at.person, checkpoint: at.checkpoint },
  'add-repository': { kind: 'add-repository', actor: at.person, repository: { url: '/src/app' } },
  'remove-repository': { kind: 'remove-repository', actor: at.person, name: 'app', force: false, seen: 0 },
  'retry-repository': { kind: 'retry-repository', actor: at.person, name: 'app' },
  set: {
    kind: 'set',
    actor: at.person,
    settings: { maxTurns: 3 },
    limits: { idleMinutes: 30, maxTurns: 3, stopWhenDone: false },
    expectedVersion: 1,
  },
  share: { kind: 'share', actor: at.person, visibility: 'private', expectedVersion: 1 },
  launch: at.launch,
  steps: {
    kind: 'steps',
    actor: backendActor,
    generation: 1,
    steps: [
      { step: 'schedule', state: 'done', ms: 40 },
      { step: 'image', state: 'failed', message: 'ErrImagePull' },
    ],
  },
  wait: { kind: 'wait', actor: backendActor, reason: 'memory', message: 'No room.', position: 2 },
  limits: { kind: 'limits', actor: backendActor, limits: { idleMinutes: 5, stopWhenDone: false } },
  enforce: { kind: 'enforce', actor: backendActor },
  warn: { kind: 'warn', actor: backendActor },
  end: at.end(1),
  fail: at.fail,
  facts: at.facts({ generation: 1, n: 1 }, at.started),
  usage,
  budget: { kind: 'budget', actor: backendActor, generation: 1, spending: at.spending({}) },
  operate: at.operate,
  'cancel-operation': {
    kind: 'cancel-operation',
    actor: backendActor,
    operation: at.operation,
    message: 'Nobody waits.',
  },
  'model-error': {
    kind: 'model-error',
    actor: backendActor,
    data: { status: 529, type: 'overloaded', message: '' },
  },
  'show-secrets': {
    kind: 'show-secrets',
    actor: backendActor,
    secrets: [{ name: 'shown', variable: 'SHOWN' }],
  },
  'refuse-egress': {
    kind: 'refuse-egress',
    actor: backendActor,
    data: {
      scheme: 'https',
      host: 'example.com',
      port: 443,
      method: 'GET',
      path: '/',
      why: 'host',
      message: '',
    },
  },
}

/** The types of the events, the code of the refusal, or `-` when nothing changes. */
const outcome = (situation: at.Situation, command: Command): string => {
  try {
    const { events } = run(at.stateIn(situation), command)
    return events.map(({ type }) => type).join(' ') || '-'
  } catch (error) {
    return `! ${(error as BerthError).code}`
  }
}

/** A row of the table: what happens in most situations, and where it is otherwise. */
const row = (
  usual: string,
  otherwise: Partial<Record<at.Situation, string>>,
): Record<at.Situation, string> => {
  const situations = Object.keys(at.ways) as at.Situation[]
  const cells = situations.map((situation) => [situation, otherwise[situation] ?? usual])
  return { ...Object.fromEntries(cells), none: otherwise.none ?? '! session_not_found' }
}

const table: Record<CommandKind, Record<at.Situation, string>> = {
  'show-secrets': row('secrets.shown', {}),
  create: row('! internal', { none: 'session.created' }),
  update: row('session.updated', { deleted: '! session_deleted' }),
  prompt: row('prompt.queued', {
    idle: 'prompt.queued turn.started',
    stopping: 'prompt.queued session.resume_requested',
    stopped: 'prompt.queued session.resume_requested',
    failed: '! session_failed',
    deleted: '! session_deleted',
  }),
  withdraw: row('! prompt_not_found', {
    working: '! prompt_taken',
    waiting: '! prompt_taken',
    stopping: '! prompt_taken',
    deleted: '! session_deleted',
  }),
  interrupt: row('! no_turn', {
    working: 'turn.interrupt_requested',
    waiting: 'turn.interrupt_requested',
    stopping: 'turn.interrupt_requested',
    deleted: '! session_deleted',
  }),
  decide: row('! request_closed', { waiting: 'permission.decided', deleted: '! session_deleted' }),
  answer: row('! request_closed', { waiting: '! request_not_found', deleted: '! session_deleted' }),
  stop: row('session.stop_requested', { stopping: '-', stopped: '-', deleted: '! session_deleted' }),
  resume: row('-', {
    stopping: 'session.resume_requested',
    stopped: 'session.resume_requested',
    failed: 'session.resume_requested',
    deleted: '! session_deleted',
  }),
  delete: row('session.deleted', { deleted: '! session_deleted' }),
  restore: row('! session_not_deleted', { deleted: 'session.restored' }),
  'add-repository': row('repository.added', { deleted: '! session_deleted' }),
  'remove-repository': row('! repository_not_found', { deleted: '! session_deleted' }),
  'retry-repository': row('! repository_not_found', { deleted: '! session_deleted' }),
  set: row('session.settings_changed', { deleted: '! session_deleted' }),
  share: row('session.shared', { deleted: '! session_deleted' }),
  pushed: row('repository.pushed', {}),
  'git-pushed': row('git.pushed', {}),
  'git-refused': row('git.refused', {}),
  'restore-workspace': row('workspace.restore_requested', {
    working: '! turn_running',
    waiting: '! turn_running',
    stopping: '! turn_running',
    stopped: 'workspace.restore_requested session.resume_requested',
    failed: '! session_failed',
    deleted: '! session_deleted',
  }),
  launch: row('-', { pending: 'generation.started' }),
  steps: row('-', {
    starting: 'generation.step generation.step',
    idle: 'generation.step generation.step',
    working: 'generation.step generation.step',
    waiting: 'generation.step generation.step',
    stopping: 'generation.step generation.step',
  }),
  wait: row('-', { pending: 'session.waits' }),
  limits: row('-', {
    starting: 'session.limits_changed',
    idle: 'session.limits_changed',
    working: 'session.limits_changed',
    waiting: 'session.limits_changed',
    stopping: 'session.limits_changed',
  }),
  enforce: row('-', {}),
  warn: row('-', {}),
  end: row('-', {
    starting: 'generation.ended',
    idle: 'generation.ended',
    working: 'generation.ended',
    waiting: 'block.aborted request.cancelled generation.ended',
    stopping: 'generation.ended turn.ended',
  }),
  fail: row('session.failed', { failed: '-' }),
  facts: row('! fenced', {
    starting: 'runner.started',
    idle: '-',
    working: '-',
    waiting: '-',
    stopping: '-',
  }),
  usage: row('model.usage', {}),
  // Nothing is spent, so nothing is paused.
  budget: row('-', {}),
  'model-error': row('model.error', {}),
  'refuse-egress': row('egress.refused', { deleted: '-' }),
  operate: row('! session_not_live', {
    idle: 'operation.requested',
    working: 'operation.requested',
    waiting: 'operation.requested',
    deleted: '! session_deleted',
  }),
  'cancel-operation': row('-', {}),
}

describe('every command in every phase', () => {
  for (const [kind, cells] of Object.entries(table) as [CommandKind, Record<at.Situation, string>][])
    it.each(Object.entries(cells) as [at.Situation, string][])(
      `${kind} when %s: %s`,
      (situation, expected) => {
        expect(outcome(situation, commands[kind])).toBe(expected)
      },
    )
})

const place = { generation: 1, n: 1 }
const types = (decision: { events: { type: string }[] }) => decision.events.map(({ type }) => type)
const lose = (generation: number): Command[] => [
  at.end(generation),
  at.launch,
  at.facts({ generation: generation + 1, n: 1 }, at.started, at.ready),
]

describe('operations', () => {
  const { operation } = at
  const result: OperationResult = { kind: 'list', entries: [], more: false }
  const done = { type: 'operation.completed', data: { operation, result } } as const

  it('are open until they are answered, or nobody waits any more', () => {
    const asked = run(at.stateIn('working'), at.operate)
    expect(asked.state.operations).toEqual([operation])
    const answered = run(asked.state, at.facts({ generation: 1, n: 3 }, done))
    expect(answered.state.operations).toEqual([])
    const cancelled = run(asked.state, commands['cancel-operation'])
    expect(types(cancelled)).toEqual(['operation.cancelled'])
    // An answer that comes later is kept as a fact, and opens nothing.
    expect(run(cancelled.state, at.facts({ generation: 1, n: 3 }, done)).state.operations).toEqual([])
  })

  it('are cancelled when their runner ends, or another takes its place', () => {
    const asked = run(at.stateIn('idle'), at.operate)
    expect(types(run(asked.state, at.end(1)))).toEqual(['operation.cancelled', 'generation.ended'])
    expect(types(run(asked.state, at.facts({ generation: 1, n: 3 }, at.started)))).toEqual([
      'runner.started',
      'operation.cancelled',
    ])
  })

  it('are refused when too many are open, and change nothing that a list shows', () => {
    const idle = at.stateIn('idle')
    const many = Array.from({ length: limits.openOperations }, (_, index) => ({
      ...at.operate,
      operation: `${operation.slice(0, -2)}${String(index).padStart(2, '0')}`,
    }))
    const { state } = run(idle, ...many)
    expect(() => run(state, at.operate)).toThrow(/under way already/)
    expect({ ...state.summary, seq: 0 }).toEqual({ ...idle?.summary, seq: 0 })
  })
})

describe('secrets that the agent can read', () => {
  it('are told once, again when they are others, and when there are none any more', () => {
    const show = commands['show-secrets'] as Extract<Command, { kind: 'show-secrets' }>
    const once = run(at.stateIn('idle'), { ...show, secrets: [] }, show)
    expect(types(once)).toEqual(['secrets.shown'])
    expect(run(once.state, show).events).toEqual([])
    expect(once.state.summary.agentSecrets).toEqual(show.secrets)
    const none = run(once.state, { ...show, secrets: [] })
    expect(none.events).toHaveLength(1)
    expect(none.state.summary.agentSecrets).toBeUndefined()
  })
})

describe('refused requests to the network', () => {
  const refused = commands['refuse-egress'] as Extract<Command, { kind: 'refuse-egress' }>
  const other = (host: string): Command => ({ ...refused, data: { ...refused.data, host } })

  it('are told once per turn when they are alike, and so many at most, also to an agent that loops', () => {
    const working = at.stateIn('working')
    const hosts = Array.from({ length: 3 * limits.egressRefusals }, (_, index) => `h${index}.example.com`)
    const looped = run(working, refused, refused, ...hosts.map(other), refused)
    expect(looped.state.refusals).toHaveLength(limits.egressRefusals)
    expect(run(looped.state, other('more.example.com')).events).toEqual([])
    expect({ ...looped.state.summary, seq: 0 }).toEqual({ ...working?.summary, seq: 0 })
  })

  it('are told again in the next turn, and the last one says that it is the last', () => {
    const once = run(at.stateIn('working'), refused)
    expect(once.events.at(-1)?.data).not.toHaveProperty('last')
    const next = run(once.state, at.prompt(1), at.facts({ generation: 1, n: 3 }, at.endTurn(0)))
    expect(types(run(next.state, refused))).toEqual(['egress.refused'])
    const hosts = Array.from({ length: limits.egressRefusals - 2 }, (_, index) => `h${index}.example.com`)
    const nearly = run(next.state, ...hosts.map(other), other('second-last.example.com'))
    expect(run(nearly.state, other('last.example.com')).events.at(-1)?.data).toMatchObject({ last: true })
  })
})

describe('the turn of a lost runner', () => {
  it('goes on once with the same id, then fails, and the next prompt starts', () => {
    const second = run(at.stateIn('working'), at.prompt(1), ...lose(1))
    expect(second.events.at(-1)).toMatchObject({
      type: 'turn.started',
      data: { turn: turns[0], prompt: prompts[0], attempt: 2 },
    })
    const lost = run(second.state, at.end(2))
    expect(lost.events.at(-1)).toMatchObject({
      type: 'turn.ended',
      data: { turn: turns[0], attempt: 2, result: 'failed', code: 'crashed' },
    })
    const third = run(lost.state, at.launch, at.facts({ generation: 3, n: 1 }, at.started, at.ready))
    expect(third.state.summary.turn).toMatchObject({ turn: turns[1], prompt: prompts[1], attempt: 1 })
  })

  it('does not go on when the runner before left its end', () => {
    const state = run(at.stateIn('working'), at.end(1), at.launch).state
    const handedOver = at.facts({ generation: 1, n: 3, by: 2 }, at.endTurn(0))
    const after = run(state, handedOver, at.facts({ generation: 2, n: 1 }, at.started, at.ready))
    expect(after.state.summary).toMatchObject({ status: { phase: 'idle' }, lastTurn: { result: 'success' } })
    expect(types(after)).toEqual(['runner.started', 'agent.ready'])
  })

  it('is not ended by the attempt that was given up', () => {
    const state = run(at.stateIn('working'), ...lose(1)).state
    const late = run(state, at.facts({ generation: 1, n: 3, by: 2 }, at.endTurn(0, 1)))
    expect(late.state.summary.turn).toMatchObject({ attempt: 2 })
  })

  it('does not go on when it was to be interrupted meanwhile', () => {
    const starting = run(at.stateIn('working'), at.end(1), at.launch, at.interrupt).state
    const after = run(starting, at.facts({ generation: 2, n: 1 }, at.started, at.ready))
    expect(after.events.at(-1)).toMatchObject({ type: 'turn.ended', data: { result: 'interrupted' } })
    expect(after.state.summary.status.phase).toBe('idle')
  })

  it('ends at once when it is interrupted or stopped while no runner is there', () => {
    const lost = run(at.stateIn('working'), at.end(1)).state
    expect(types(run(lost, at.interrupt))).toEqual(['turn.interrupt_requested', 'turn.ended'])
    expect(types(run(lost, at.stop))).toEqual(['session.stop_requested', 'turn.ended'])
    expect(types(run(lost, at.remove))).toEqual(['session.deleted', 'turn.ended'])
  })

  it('ends as interrupted when its runner goes after an interrupt', () => {
    const after = run(at.stateIn('working'), at.interrupt, at.end(1))
    expect(after.events.at(-1)).toMatchObject({ type: 'turn.ended', data: { result: 'interrupted' } })
  })
})

describe('a runner that should end', () => {
  it('gets no further turn after a resume; the next one does', () => {
    const resumed = run(
      at.stateIn('stopping'),
      at.prompt(1),
      at.facts({ generation: 1, n: 3 }, at.endTurn(0)),
    )
    expect(types(resumed)).toEqual(['turn.ended'])
    expect(resumed.state.summary).toMatchObject({ desired: 'running', status: { phase: 'stopping' } })
    const next = run(resumed.state, ...lose(1))
    expect(next.state.summary).toMatchObject({ turn: { prompt: prompts[1] }, restarts: 0 })
  })

  it('does not take a turn up when the session failed', () => {
    const state = run(at.stateIn('starting'), at.prompt(0), at.fail).state
    expect(types(run(state, at.facts(place, at.started, at.ready)))).toEqual([
      'runner.started',
      'agent.ready',
    ])
  })
})

describe('facts', () => {
  const starting = at.stateIn('starting')

  it('are stored once, in order, without a gap', () => {
    const first = run(starting, at.facts(place, at.started))
    const again = run(first.state, at.facts(place, at.started, at.ready))
    expect(types(again)).toEqual(['agent.ready'])
    expect(again.state.n).toBe(2)
    expect(() => run(first.state, at.facts({ generation: 1, n: 3 }, at.ready))).toThrow(/Fact 2 is missing/)
  })

  it('of generations that are over are fenced', () => {
    const third = run(starting, at.facts({ generation: 1, n: 1 }, at.started), at.end(1), at.launch).state
    expect(() => run(third, at.facts({ generation: 1, n: 2 }, at.started))).toThrow(/Generation 1 is over/)
    expect(() => run(third, at.facts({ generation: 3, n: 1, by: 2 }, at.started))).toThrow(
      /hand over nothing/,
    )
    expect(types(run(third, at.facts({ generation: 1, n: 2, by: 2 }, at.started)))).toEqual([
      'runner.started',
    ])
  })

  it('that a generation left are handed over by the first one after it that says anything', () => {
    const silent = [at.end(1), at.launch, at.end(2), at.launch]
    const third = run(starting, at.facts({ generation: 1, n: 1 }, at.started), ...silent).state
    expect(types(run(third, at.facts({ generation: 1, n: 2, by: 3 }, at.started)))).toEqual([
      'runner.started',
    ])
    expect(() => run(third, at.facts({ generation: 2, n: 1, by: 3 }, at.started))).toThrow(
      /hand over nothing/,
    )
  })

  it('of the future happened now', () => {
    const command = at.facts(place, at.started) as Extract<Command, { kind: 'facts' }>
    const facts = command.facts.map((fact) => ({ ...fact, at: '2031-01-01T00:00:00.000Z' }))
    expect(run(starting, { ...command, facts }).events[0]?.at).toBe(at.at)
  })

  it('that a runner may not append are refused as a whole', () => {
    const forged = { type: 'permission.decided', data: { request: at.request } } as never
    expect(() => run(starting, at.facts(place, at.started, forged))).toThrow(/runner may not append/)
    const person = { ...at.facts(place, at.started), actor: at.person } as Command
    expect(() => run(starting, person)).toThrow(/user may not append/)
  })

  it('of the runner close what a hand-over opened', () => {
    const state = run(at.stateIn('working'), at.end(1), at.launch).state
    const handedOver = at.facts({ generation: 1, n: 3, by: 2 }, at.startBlock, at.ask)
    const after = run(state, handedOver, at.facts({ generation: 2, n: 1 }, at.started))
    expect(types(after)).toEqual(['runner.started', 'block.aborted', 'request.cancelled'])
  })
})

describe('prompts', () => {
  it('wait in order and can be withdrawn', () => {
    const state = run(at.stateIn('working'), at.prompt(1), at.prompt(2)).state
    const withdraw: Command = { kind: 'withdraw', actor: at.person, prompt: prompts[1] }
    const after = run(state, withdraw, at.facts({ generation: 1, n: 3 }, at.endTurn(0)))
    expect(after.state.summary.turn).toMatchObject({ prompt: prompts[2], turn: turns[1], promptSeq: 8 })
  })

  it('are refused when too many wait', () => {
    let state = at.stateIn('pending')
    for (let i = 0; i < limits.queuedPrompts; i++) state = run(state, at.prompt(0)).state
    expect(() => run(state, at.prompt(1))).toThrow(/100 prompts wait already/)
  })

  it.each(['budget', 'deadline'] as const)('do not wake a session that stopped for its %s', (reason) => {
    const stopped = run(at.stateIn('pending'), { kind: 'stop', actor: backendActor, reason }).state
    expect(types(run(stopped, at.prompt(0)))).toEqual(['prompt.queued'])
  })
})

it('cuts the message of an end to what an event may hold', () => {
  const end = { ...at.end(1), message: 'x'.repeat(limits.message + 1) } as Command
  const { events } = decide(at.stateIn('starting'), end, { at: at.at, turn: turns[0] })
  expect(events[0]).toMatchObject({ data: { message: 'x'.repeat(limits.message) } })
})

it('keeps the version of an update', () => {
  const update = { ...commands.update, expectedVersion: 2 } as Command
  expect(() => run(at.stateIn('idle'), update)).toThrow(/at version 1, not 2/)
  expect(run(at.stateIn('idle'), commands.update).state.summary).toMatchObject({ title: 'New', version: 2 })
})

it('restores a session until its purge may have begun, and no longer', () => {
  const removed = run(at.stateIn('idle'), commands.delete).state
  const { purgeAt = '' } = removed.summary
  const restore = (when: string) => decide(removed, commands.restore, { at: when, turn: turns[0] })
  expect(() => restore(purgeAt)).toThrow(`could be restored until ${purgeAt}`)
  const before = new Date(Date.parse(purgeAt) - 1).toISOString()
  expect(restore(before).events.map(({ type }) => type)).toEqual(['session.restored'])
})
