import type { EventData } from '@berth/contract'
import { expect, it } from 'vitest'
import type { UsageQuery } from '../usage-store.ts'
import { type Bench, codeOf, person, remove, startOfTime } from './harness.ts'

const dayMs = 86_400_000

/** A metered request: 10 tokens of input, 1 of output, a quarter of a dollar. */
const used = (more: Partial<EventData<'model.usage'>> = {}) =>
  ({
    kind: 'usage',
    actor: { kind: 'backend', id: 'gateway' },
    data: {
      model: 'm',
      inputTokens: 10,
      outputTokens: 1,
      cacheReadTokens: 0,
      cacheWriteTokens: 0,
      costUsd: 0.25,
      durationMs: 1,
      partial: false,
      ...more,
    },
  }) as const

const whole = { from: '2000-01-01', to: '2100-01-01' }

export const usageCases = (bench: () => Bench) => {
  const spend = (session: string, more: Partial<EventData<'model.usage'>> = {}, day = 0) =>
    bench().append(session, used(more), { now: startOfTime + day * dayMs })
  const query = (more: Partial<UsageQuery>): UsageQuery => ({
    project: bench().project,
    by: 'model',
    ...whole,
    ...more,
  })
  const rows = async (more: Partial<UsageQuery>) => {
    const { items } = await bench().store.usage(query(more), { limit: 100 })
    return items.map(({ key, requests, costUsd }) => [key, requests, costUsd])
  }
  /** What counts of a user's, a day's and a month's budget, in dollars. */
  const use = async (at: string, user = 'ada') => {
    const counted = await bench().store.budgetUse(bench().project, { user, at: `${at}T12:00:00.000Z` })
    return [counted.user.usd, counted.day.usd, counted.project.usd]
  }
  const sum = (more: Partial<UsageQuery> = {}) => bench().store.usageSum(query(more))

  it('sums requests by session, model, day and user, of a project or one session, in a range of days', async () => {
    const a = await bench().session({ owner: 'ada', now: startOfTime })
    const b = await bench().session({ owner: 'bob', now: startOfTime + 1 })
    await spend(a)
    await spend(a, { model: 'n', costUsd: 1 })
    await spend(b, {}, 1)
    await spend(b, {}, 2)
    expect(await rows({ by: 'session' })).toEqual([
      [b, 2, 0.5],
      [a, 2, 1.25],
    ])
    expect(await rows({ by: 'model' })).toEqual([
      ['m', 3, 0.75],
      ['n', 1, 1],
    ])
    expect(await rows({ by: 'day' })).toEqual([
      ['2030-01-03', 1, 0.25],
      ['2030-01-02', 1, 0.25],
      ['2030-01-01', 2, 1.25],
    ])
    expect(await rows({ by: 'user' })).toEqual([
      ['ada', 2, 1.25],
      ['bob', 2, 0.5],
    ])
    expect(await rows({ by: 'day', session: b, from: '2030-01-03' })).toEqual([['2030-01-03', 1, 0.25]])
    expect(await rows({ by: 'model', to: '2030-01-01' })).toEqual([
      ['m', 1, 0.25],
      ['n', 1, 1],
    ])
    expect(await rows({ by: 'model', project: 'none' })).toEqual([])
    expect(await sum()).toMatchObject({ requests: 4, inputTokens: 40, outputTokens: 4, costUsd: 1.75 })
    expect(await sum({ session: a })).toMatchObject({ requests: 2, costUsd: 1.25 })
    expect(await sum({ to: '2029-12-31' })).toMatchObject({ requests: 0, inputTokens: 0, costUsd: 0 })
  })

  it('counts what has no price, apart from the cost of the rest', async () => {
    const session = await bench().session()
    await spend(session, { costUsd: null, cacheReadTokens: 3, cacheWriteTokens: 4 })
    await spend(session)
    expect(await sum()).toEqual({
      requests: 2,
      unpriced: 1,
      inputTokens: 20,
      outputTokens: 2,
      cacheReadTokens: 3,
      cacheWriteTokens: 4,
      costUsd: 0.25,
    })
  })

  it('pages through every group once', async () => {
    const session = await bench().session()
    for (let i = 0; i < 7; i++) await spend(session, { model: `m${i}` }, i)
    for (const by of ['model', 'day'] as const) {
      const keys: string[] = []
      let cursor: string | undefined
      do {
        const page = await bench().store.usage(query({ by }), { limit: 3, cursor })
        expect(page.items.length).toBeLessThanOrEqual(3)
        keys.push(...page.items.map(({ key }) => key))
        cursor = page.next
      } while (cursor !== undefined)
      expect(keys).toEqual((await rows({ by })).map(([key]) => key))
      expect(keys).toHaveLength(7)
    }
    expect(await codeOf(bench().store.usage(query({}), { limit: 1, cursor: 'x' }))).toBe('invalid_cursor')
  })

  it('keeps what a purged session used in what its project used', async () => {
    const session = await bench().session()
    await spend(session)
    await bench().append(session, remove())
    await bench().store.purge(session, startOfTime)
    expect(await rows({ by: 'session' })).toEqual([])
    expect(await sum({ session })).toMatchObject({ requests: 0 })
    expect(await rows({ by: 'user' })).toEqual([['ada', 1, 0.25]])
    expect(await use('2030-01-01')).toEqual([0.25, 0.25, 0.25])
  })

  it('knows what counts of a user, a day and a month at once, across sessions and to the day', async () => {
    const sessions = await Promise.all([bench().session({ owner: 'ada' }), bench().session({ owner: 'bob' })])
    await Promise.all(sessions.flatMap((session) => [0, 30, 31].map((day) => spend(session, {}, day))))
    expect(await use('2030-01-01')).toEqual([0.5, 0.5, 1])
    expect(await use('2030-01-02')).toEqual([0.5, 0, 1])
    expect(await use('2030-01-31', 'bob')).toEqual([0.5, 0.5, 1])
    expect(await use('2030-02-01')).toEqual([0.25, 0.5, 0.5])
    expect(await use('2030-02-01', 'eve')).toEqual([0, 0.5, 0.5])
    expect(await use('2030-03-01')).toEqual([0, 0, 0])
    const { project } = await bench().store.budgetUse(bench().project, { user: 'ada', at: '2030-01-01' })
    expect(project).toEqual({ usd: 1, tokens: 44 })
  })

  it('counts a request for whoever sent the prompt, whoever owns the session', async () => {
    const session = await bench().session({ owner: 'ada' })
    await spend(session, { user: 'bob' })
    await spend(session)
    expect(await rows({ by: 'user' })).toEqual([
      ['ada', 1, 0.25],
      ['bob', 1, 0.25],
    ])
    expect(await use('2030-01-01', 'bob')).toEqual([0.25, 0.5, 0.5])
  })

  it('sums over all projects, by project too', async () => {
    const { project } = bench()
    await spend(await bench().session())
    expect(await rows({ by: 'project' })).toEqual([[project, 1, 0.25]])
    const { items } = await bench().store.usage({ by: 'project', ...whole }, { limit: 100 })
    expect(items.find(({ key }) => key === project)).toMatchObject({ requests: 1 })
    expect((await bench().store.usageSum(whole)).requests).toBe(
      items.reduce((all, { requests }) => all + requests, 0),
    )
  })

  it('counts nothing of a command that is refused, and nothing twice of one that is repeated', async () => {
    const session = await bench().session()
    const refused = bench().append(session, used(), { settingsVersion: 7 })
    expect(await codeOf(refused)).toBe('version_mismatch')
    const idempotency = { scope: 's', key: `k-${bench().project}`, hash: 'h' }
    for (let i = 0; i < 2; i++) await bench().append(session, used(), { idempotency })
    expect(await sum()).toMatchObject({ requests: 1 })
  })

  it('takes a command only under the settings from which it was made', async () => {
    const session = await bench().session()
    const { store, project } = bench()
    expect(await store.projectSettings(project)).toEqual({ settings: {}, settingsVersion: 1 })
    expect(await store.projectSettings('none')).toBeUndefined()
    await bench().append(session, used(), { settingsVersion: 1 })
    const settings = { budgetUsd: 1 }
    await store.editProject(project, { settings, expectedVersion: 1, now: startOfTime })
    expect(await store.projectSettings(project)).toEqual({ settings, settingsVersion: 2 })
    expect(await codeOf(bench().append(session, used(), { settingsVersion: 1 }))).toBe('version_mismatch')
    await bench().append(session, used(), { settingsVersion: 2 })
    expect((await sum()).requests).toBe(2)
  })

  it('takes what a project used along when the project is deleted', async () => {
    const session = await bench().session()
    await spend(session)
    await bench().append(session, remove())
    await bench().store.purge(session, startOfTime)
    await bench().store.beginDeletion(bench().project, { by: person, now: startOfTime })
    await bench().store.finishDeletion(bench().project)
    expect(await sum()).toMatchObject({ requests: 0 })
    expect(await use('2030-01-01')).toEqual([0, 0, 0])
  })
}
