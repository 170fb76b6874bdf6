import {
  type AnyEvent,
  noDiff,
  noUsage,
  type ProjectQueue,
  platformSettings,
  type SessionSummary,
} from '@berth/contract'
import { describe, expect, it } from 'vitest'
import { type SessionFacts, sessionFindings } from './session-findings.ts'

const id = 'ses_01m855ymq0fmba5kdj51nnmvf3'
const since = '2026-01-02T00:00:00.000Z'
const now = Date.parse(since) + 90_000

const session = (changes: Partial<SessionSummary>): SessionSummary => ({
  ...{ id, project: 'web', title: 'T', labels: {}, owner: { kind: 'user', id: 'ann' } },
  ...{ createdAt: since, updatedAt: since, version: 1, seq: 9, desired: 'running', activity: 'Working' },
  ...{
    modelSource: 'live',
    visibility: 'project',
    repositories: [],
    diff: noDiff,
    usage: noUsage,
    turns: 3,
    queue: [],
    requests: [],
  },
  ...{ generation: 1, restarts: 0, status: { phase: 'idle', since } },
  ...changes,
})

const room: ProjectQueue['capacity'] = {
  sessions: { used: 8, limit: 8 },
  project: { used: 2 },
  memoryBytes: { used: 1024 ** 3, limit: 2 * 1024 ** 3 },
}

const event = (type: string, data: object, seconds = 0): AnyEvent =>
  ({
    ...{ seq: 1 + seconds, at: new Date(Date.parse(since) + seconds * 1000).toISOString(), version: 1 },
    ...{ actor: { kind: 'backend', id: 'b' }, type, data },
  }) as AnyEvent

const explain = (changes: Partial<SessionSummary>, more: Partial<SessionFacts> = {}) =>
  sessionFindings({
    session: session(changes),
    settings: { effective: { ...platformSettings, maxTurns: 3 }, origins: { maxTurns: 'project' } },
    queue: { items: [], waiting: 0, capacity: room },
    events: [],
    now,
    berth: 'berth',
    ...more,
  })

const words = (...args: Parameters<typeof explain>): string =>
  explain(...args)
    .map(({ state, detail, repair }) => [state, detail, repair ?? ''].join(' | '))
    .join('\n')

describe('what a session waits for', () => {
  it('room: at which place, why, and what would help', () => {
    const capacity = { phase: 'pending', since, reason: 'capacity', message: 'No room.' } as const
    const item = { session: id, title: 'T', owner: { kind: 'user', id: 'ann' }, position: 4, since } as const
    const wait = (reason: ProjectQueue['items'][number]['reason']) =>
      words({ status: capacity }, { queue: { items: [{ ...item, reason }], waiting: 1, capacity: room } })
    expect(wait('memory')).toMatch(
      /warn \| .*place 4 .*too little memory.*1\.0 GB of 2\.0 GB.*BERTH_MEMORY_MIB/,
    )
    expect(wait('sessions')).toMatch(/8 of 8 sessions live.*BERTH_MAX_LIVE_SESSIONS/)
    expect(wait('project-sessions')).toContain('berth project set web liveSessions=')
    expect(wait('project-memory')).toContain('berth project set web quotaMemoryMiB=')
    expect(wait('project-cpus')).toMatch(/SESSION cpus=.*berth project set web quotaCpus=/)
    expect(words({ status: capacity })).toContain('about to start')
  })

  it('the next try after its runner was lost', () => {
    const retryAt = new Date(now + 4000).toISOString()
    const status = { phase: 'pending', since, reason: 'backoff', message: 'exit code 7', retryAt } as const
    expect(words({ status, restarts: 2 })).toMatch(/lost 2 times.*in 4\.0 s.*exit code 7.*berth logs nnmvf3/)
  })

  it('the steps of its start that are under way', () => {
    const events = [
      event('start.step', { step: 'sandbox', state: 'started' }),
      event('start.step', { step: 'sandbox', state: 'done' }, 1),
      event('start.step', { step: 'clone', item: 'app', state: 'started' }, 2),
    ]
    const text = words({ status: { phase: 'starting', since } }, { events })
    expect(text).toMatch(/since 1 min 30 s; under way: clone app \(for 1 min 28 s\)/)
    expect(text).not.toContain('sandbox')
  })

  it('a person, with what was asked', () => {
    const open: SessionSummary['requests'][number] = {
      request: 'req_1',
      kind: 'permission',
      turn: 'trn_1',
      title: 'Bash',
      detail: 'rm -r x',
      at: since,
      seq: 4,
    }
    expect(words({ status: { phase: 'waiting', since }, requests: [open] })).toMatch(
      /Bash: rm -r x \| Answer: berth attach nnmvf3/,
    )
  })

  it('a limit, with the one that has to be raised, and its prompts', () => {
    const queue = [
      { prompt: 'prm_1', seq: 5, at: since, sender: { kind: 'user', id: 'ann' }, preview: 'x' } as const,
    ]
    const turns = words({ status: { phase: 'stopped', since, reason: 'turns' }, queue, blockedBy: 'turns' })
    expect(turns).toMatch(
      /3 turns.*set by the project.*berth settings nnmvf3 maxTurns=….*berth resume nnmvf3/,
    )
    expect(turns).toContain('1 prompt waits until the limit is raised (turns)')
    expect(words({ status: { phase: 'stopped', since, reason: 'deadline' } })).toContain('deadlineMinutes=…')
    const spent = { scope: 'project', unit: 'usd', period: '2030-01', used: 5, limit: 5, spent: true }
    const budget = { status: { phase: 'stopped', since, reason: 'budget' } } as const
    expect(words(budget)).toContain('budgetUsd=…')
    expect(words(budget, { events: [event('budget.reached', spent)] })).toMatch(
      /budget of the project for 2030-01 is spent: \$5\.00 of \$5\.00.*projectBudgetUsd=…/,
    )
  })

  it('a prompt, when it is idle, sleeps or was stopped', () => {
    expect(words({})).toMatch(/ok \| It waits for a prompt\. After 30 minutes/)
    expect(words({ status: { phase: 'stopped', since, reason: 'idle' } })).toMatch(/sleeps.*berth prompt/)
    expect(words({ status: { phase: 'stopped', since, reason: 'user' } })).toContain('Somebody stopped it.')
  })

  it('the agent, its end, or a repair', () => {
    const turn = { phase: 'working', since } as const
    expect(words({ status: turn }, { events: [event('agent.status', { status: 'x' }, 60)] })).toMatch(
      /works on a prompt.*30 s ago.*berth interrupt nnmvf3/,
    )
    expect(words({ status: { phase: 'stopping', since, reason: 'user' } })).toContain('saves its state')
    const failed = { phase: 'failed', since, reason: 'clone', message: 'no such host' } as const
    expect(words({ status: failed })).toMatch(/fail \| .*no such host.*berth resume/)
    expect(words({ desired: 'deleted', deletedAt: since, purgeAt: since })).toContain('berth rm --restore')
  })
})

describe('what else a person should know', () => {
  it('a clone that failed, and what the model refused since the last turn', () => {
    const repository = { name: 'app', url: '/app', state: 'failed', message: 'gone', diff: noDiff } as const
    const events = [
      event('model.error', { status: 401, type: 'old', message: 'old' }, 1),
      event('turn.ended', {}, 2),
      event('model.error', { status: 529, type: 'overloaded', message: 'busy' }, 3),
    ]
    const text = words({ repositories: [repository] }, { events })
    expect(text).toMatch(/fail \| app could not be cloned: gone/)
    expect(text).toContain('529 overloaded')
    expect(text).not.toContain('401')
  })
})
