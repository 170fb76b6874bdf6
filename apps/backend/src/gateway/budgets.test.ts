import type { SessionSummary, Settings, UsageReport } from '@berth/contract'
import { describe, expect, it } from 'vitest'
import { eventually, type TestBackend, withBackend, withServer } from '../test-backend.ts'
import { builtInPrices } from './prices.ts'

const base = '/api/projects/default'

/** An answer that costs a dollar: 100 tokens at a cent. */
const answerOf = (model: string) => JSON.stringify({ model, usage: { input_tokens: 0, output_tokens: 100 } })

interface World {
  backend: TestBackend
  session: string
  /** Asks the model, as the session's agent does. */
  ask: () => Promise<{ status: number; paused: string | null; message: string }>
  setProject: (settings: Settings) => Promise<void>
  setSession: (settings: Settings) => Promise<number>
  resume: () => Promise<{ status: number; body: { code?: string; detail?: string } }>
  types: () => Promise<string[]>
  summary: () => Promise<SessionSummary>
  /** Requests that came through to the model. */
  asked: () => number
}

/** A session at work, whose every answer costs a dollar. */
const withSession = (test: (world: World) => Promise<void>, more: { model?: string; clock?: never } = {}) => {
  let asked = 0
  const { model = 'claude-x' } = more
  return withServer(
    (_, response) => {
      asked += 1
      response.writeHead(200, { 'content-type': 'application/json' }).end(answerOf(model))
    },
    (url) =>
      withBackend(
        async (backend) => {
          const { session, spec } = await backend.idleSession({ prompt: 'Work' })
          const one = `${base}/sessions/${session}`
          const patch = async (path: string, body: Settings) => {
            const { headers } = await backend.call(path)
            const etag = headers.get('etag') ?? ''
            const options = { method: 'PATCH', body, headers: { 'if-match': etag } }
            return (await backend.call(path, options)).status
          }
          const types = async () => {
            const { body } = await backend.call<{ items: { type: string }[] }>(`${one}/events?limit=1000`)
            return body.items.map(({ type }) => type)
          }
          const metered = async () => (await types()).filter((type) => type === 'model.usage').length
          await test({
            backend,
            session,
            types,
            asked: () => asked,
            ask: async () => {
              const before = asked
              const response = await fetch(`${backend.runnerUrl}/runner/model/v1/messages`, {
                method: 'POST',
                headers: { authorization: `Bearer ${spec.token}`, 'content-type': 'application/json' },
                body: JSON.stringify({ model }),
              })
              const body = (await response.json()) as { error?: { message: string } }
              if (asked > before) await eventually('the count', async () => (await metered()) >= asked)
              const { status, headers } = response
              return { status, paused: headers.get('berth-paused'), message: body.error?.message ?? '' }
            },
            setProject: async (settings) => {
              expect(await patch(`${base}/settings`, settings)).toBe(200)
            },
            setSession: (settings) => patch(`${one}/settings`, settings),
            resume: () => backend.call(`${one}/resume`, { method: 'POST' }),
            summary: () => backend.summary(session),
          })
        },
        {
          source: { kind: async () => 'live', upstream: async () => ({ baseUrl: url, apiKey: 'k' }) },
          prices: {
            ...builtInPrices,
            prices: { 'claude-x': { input: 0, output: 10_000, cacheRead: 0, cacheWrite: 0 } },
          },
        },
      ),
  )
}

describe('a session’s budget', () => {
  it('lets requests through until it is spent, then pauses the turn; and refuses a resume until it is raised', () =>
    withSession(async ({ ask, setSession, summary, resume, types, asked }) => {
      await setSession({ budgetUsd: 2 })
      expect([(await ask()).status, (await ask()).status]).toEqual([200, 200])
      const { turn } = await summary()
      const refused = await ask()
      expect(refused).toMatchObject({ status: 403, paused: turn?.turn })
      expect(refused.message).toMatch(/\$2\.00 of \$2\.00.*budgetUsd/)
      expect(await ask()).toMatchObject({ status: 403, paused: turn?.turn })
      expect(asked()).toBe(2)
      const told = (await types()).filter((type) => /budget|paused|stop/.test(type))
      expect(told).toEqual(['budget.reached', 'turn.paused', 'session.stop_requested'])
      expect(await summary()).toMatchObject({
        status: { phase: 'stopping', reason: 'budget' },
        blockedBy: 'budget',
      })
      const early = await resume()
      expect([early.status, early.body.code]).toEqual([409, 'budget_spent'])
      await setSession({ budgetUsd: 3 })
      expect((await resume()).status).toBe(202)
      // What the runner that is on its way out still asks is not paid for.
      expect(await ask()).toMatchObject({ status: 403, paused: turn?.turn })
    }))

  it('warns once at its percentage, and once when it is spent; anew for another limit', () =>
    withSession(async ({ ask, setSession, types }) => {
      const words = async () => (await types()).filter((type) => type === 'budget.reached').length
      await setSession({ budgetUsd: 4, budgetWarnPercent: 50 })
      const counts: number[] = []
      for (let i = 0; i < 3; i++) {
        await ask()
        counts.push(await words())
      }
      await setSession({ budgetUsd: 5 })
      for (let i = 0; i < 3; i++) {
        await ask()
        counts.push(await words())
      }
      expect(counts).toEqual([0, 1, 1, 2, 3, 3])
    }))

  it('counts tokens where a model has no price, and says so once', () =>
    withSession(
      async ({ ask, setSession, types, backend }) => {
        await setSession({ budgetUsd: 1, budgetTokens: 150 })
        expect([(await ask()).status, (await ask()).status, (await ask()).status]).toEqual([200, 200, 403])
        const notices = (await types()).filter((type) => type === 'session.notice')
        expect(notices).toHaveLength(1)
        const { body } = await backend.call<UsageReport>(`${base}/usage`)
        expect(body.total).toMatchObject({ requests: 2, unpriced: 2, costUsd: 0, outputTokens: 200 })
      },
      { model: 'claude-y' },
    ))

  it('is the project’s default where the session sets none, and is read anew for every request', () =>
    withSession(async ({ ask, setProject, setSession }) => {
      await setProject({ budgetUsd: 1 })
      expect((await ask()).status).toBe(200)
      await setSession({ budgetUsd: 2 })
      expect((await ask()).status).toBe(200)
      expect((await ask()).status).toBe(403)
    }))

  it('that is lowered between two requests of a turn pauses it', () =>
    withSession(async ({ ask, setSession, summary }) => {
      expect((await ask()).status).toBe(200)
      await setSession({ budgetUsd: 0.5 })
      expect((await ask()).status).toBe(403)
      expect((await summary()).turn).toMatchObject({ paused: { reason: 'budget' } })
    }))

  it('refuses what is asked while no turn runs, and stops nothing', () =>
    withSession(async ({ ask, setSession, backend, session, summary }) => {
      const spec = await backend.spec(session)
      const { turn } = await summary()
      const end = {
        turn: turn?.turn ?? '',
        attempt: 1,
        result: 'success',
        message: '',
        durationMs: 1,
      } as const
      await backend.facts(spec, 3, { type: 'turn.ended', data: end })
      await setSession({ budgetUsd: 0.5 })
      await ask()
      expect(await ask()).toMatchObject({ status: 403, paused: null })
      expect(await summary()).toMatchObject({ desired: 'running', status: { phase: 'idle' } })
    }))
})

describe('a paused session', () => {
  it('keeps its turn when the runner ends, goes on with it as the next attempt, and ends it when a person stops it', () =>
    withSession(async ({ ask, setSession, summary, resume, backend, session }) => {
      await setSession({ budgetUsd: 1 })
      await ask()
      await ask()
      backend.runtime.end(session, 'exited')
      await eventually('the stop', async () => (await summary()).status.phase === 'stopped')
      expect(await summary()).toMatchObject({
        turn: { attempt: 1, losses: 0, paused: {} },
      })
      await setSession({ budgetUsd: 10 })
      await resume()
      const spec = await backend.spec(session, 2)
      await backend.facts(
        spec,
        1,
        { type: 'runner.started', data: { version: '1', sandbox: 'none' } },
        { type: 'agent.ready', data: {} },
      )
      const on = await summary()
      expect(on).toMatchObject({ turn: { attempt: 2, losses: 0 }, status: { phase: 'working' }, turns: 1 })
      expect(on.turn?.paused).toBeUndefined()
    }))

  it('gives its turn up when a person stops it, whether its runner is still there or not', async () => {
    for (const gone of [true, false])
      await withSession(async ({ ask, setSession, summary, backend, session }) => {
        await setSession({ budgetUsd: 1 })
        await ask()
        await ask()
        const end = async () => {
          backend.runtime.end(session, 'exited')
          await eventually('the stop', async () => (await summary()).status.phase === 'stopped')
        }
        if (gone) await end()
        expect((await backend.call(`${base}/sessions/${session}/stop`, { method: 'POST' })).status).toBe(202)
        if (!gone) await end()
        expect(await summary()).toMatchObject({
          status: { phase: 'stopped', reason: 'user' },
          lastTurn: { result: 'interrupted', code: 'stopped' },
        })
        expect((await summary()).turn).toBeUndefined()
      })
  })
})

describe('a project’s budget', () => {
  it('counts the month of all its sessions, and shows in the usage of both', () =>
    withSession(async ({ ask, setProject, backend, session }) => {
      await setProject({ projectBudgetUsd: 2, projectBudgetTokens: 1000, budgetTokens: 400 })
      await ask()
      await ask()
      expect((await ask()).message).toMatch(/project default for \d{4}-\d\d.*projectBudgetUsd/)
      const project = (await backend.call<UsageReport>(`${base}/usage?by=session`)).body
      expect(project.items).toMatchObject([{ key: session, title: 'Work', requests: 2, costUsd: 2 }])
      const shared = [
        { scope: 'project', unit: 'usd', limit: 2, used: 2, remaining: 0, percent: 100, spent: true },
        {
          scope: 'project',
          unit: 'tokens',
          limit: 1000,
          used: 200,
          remaining: 800,
          percent: 20,
          spent: false,
        },
      ]
      expect(project.budgets).toMatchObject(shared)
      const own = (await backend.call<UsageReport>(`${base}/sessions/${session}/usage?by=day`)).body
      expect(own.items).toMatchObject([{ key: own.to, requests: 2 }])
      expect(own.budgets).toMatchObject([
        { scope: 'session', unit: 'tokens', limit: 400, used: 200, percent: 50, period: 'session' },
        ...shared,
      ])
    }))

  it('comes as a table to who asks for one', () =>
    withSession(async ({ ask, backend }) => {
      await ask()
      const csv = (query: string, accept?: string) =>
        backend.call<string>(`${base}/usage?${query}`, { headers: accept === undefined ? {} : { accept } })
      const { headers, body } = await csv('by=model&format=csv')
      expect(headers.get('content-type')).toBe('text/csv; charset=utf-8')
      expect(headers.get('content-disposition')).toMatch(
        /^attachment; filename="usage-by-model-[0-9-]+\.csv"$/,
      )
      expect(body).toMatch(/^model,requests,.*\r\nclaude-x,1,0,0,100,0,0,1\r\n$/s)
      expect((await csv('by=user', 'text/csv')).body).toMatch(/^user,.*\r\nowner,1,/s)
      expect((await csv('by=user&format=json', 'text/csv')).body).toMatchObject({ by: 'user' })
      expect((await csv('by=user', '*/*')).body).toMatchObject({ by: 'user' })
      const all = await backend.call<UsageReport>('/api/usage')
      expect(all.body).toMatchObject({ by: 'project', items: [{ key: 'default', requests: 1 }], budgets: [] })
    }))

  it('can be asked for any days, and says what is wrong with them', () =>
    withSession(async ({ ask, backend, session }) => {
      await ask()
      const usage = (query: string) => backend.call<UsageReport>(`${base}/usage?${query}`)
      expect((await usage('from=2000-01-01&to=2000-01-31')).body.total.requests).toBe(0)
      expect((await usage('by=user')).body.items).toMatchObject([{ key: 'owner', requests: 1 }])
      for (const query of ['from=2030-02-01&to=2030-01-01', 'from=yesterday', 'by=colour', 'cursor=x'])
        expect((await usage(query)).status).toBe(400)
      const other = `/api/projects/none/sessions/${session}/usage`
      expect((await backend.call(other)).status).toBe(404)
    }))
})

describe('budgets that sessions share', () => {
  it.each([
    ['user', 'userBudgetUsd', /^The budget of owner in project default for \d{4}-\d\d \(UTC\)/],
    ['day', 'dayBudgetUsd', /^The budget of project default for \d{4}-\d\d-\d\d \(UTC\)/],
  ] as const)('[P185] of a %s warn, pause, are raised and let the turn go on', (scope, setting, words) =>
    withSession(async ({ ask, setProject, summary, resume, backend, session, types }) => {
      await setProject({ [setting]: 2, budgetWarnPercent: 50 })
      expect([(await ask()).status, (await ask()).status]).toEqual([200, 200])
      const refused = await ask()
      expect(refused).toMatchObject({ status: 403, paused: (await summary()).turn?.turn })
      expect(refused.message).toMatch(words)
      expect(refused.message).toContain(`${setting}=4`)
      const told = (await types()).filter((type) => type === 'budget.reached')
      expect(told).toHaveLength(2)
      const { body } = await backend.call<UsageReport>(`${base}/sessions/${session}/usage`)
      expect(body.budgets).toMatchObject([{ scope, limit: 2, used: 2, spent: true }])
      backend.runtime.end(session, 'exited')
      await eventually('the stop', async () => (await summary()).status.phase === 'stopped')
      const early = await resume()
      expect([early.status, early.body.code]).toEqual([409, 'budget_spent'])
      await setProject({ [setting]: 10 })
      expect((await resume()).status).toBe(202)
      expect((await summary()).turn).toMatchObject({ attempt: 1 })
    }),
  )
})

describe('what was metered', () => {
  it('is counted by source and kind for whoever watches, and nothing that the agent says is a label', () =>
    withSession(async ({ ask, backend }) => {
      await ask()
      const { body } = await backend.call<string>('/metrics')
      expect(body).toContain('berth_model_requests_total{source="live"} 1')
      expect(body).toContain('berth_model_tokens_total{source="live",kind="output"} 100')
      expect(body).toContain('berth_model_cost_usd_total{source="live"} 1')
      expect(body).not.toContain('claude-x')
    }))
})

describe('settings that change while a pause is decided', () => {
  it('leave no pause behind that they do not ask for', () =>
    withSession(async ({ ask, setProject, summary, types }) => {
      await ask()
      for (let i = 0; i < 15; i++) {
        await setProject({ budgetUsd: 0.5 })
        // The raise and the request come at once: either the model was asked, or the turn was paused before the raise.
        const [{ status, paused }] = await Promise.all([ask(), setProject({ budgetUsd: 100 })])
        if (status === 403) {
          expect(paused).not.toBeNull()
          expect((await summary()).status).toMatchObject({ reason: 'budget' })
          break
        }
      }
      const pauses = (await types()).filter((type) => type === 'turn.paused').length
      const { turn, desired } = await summary()
      expect(turn?.paused === undefined ? 0 : 1).toBe(pauses)
      expect(desired).toBe(pauses === 0 ? 'running' : 'stopped')
    }))
})
