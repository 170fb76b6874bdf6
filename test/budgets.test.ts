import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type AnyEvent, type EventData, isBerthError, type SessionSummary } from '@berth/contract'
import { describe, expect, it } from 'vitest'
import { checkLog } from './support/check-log.ts'
import { deliveredTexts } from './support/watched.ts'
import { project, type World, withWorld } from './support/world.ts'

type Type = Exclude<AnyEvent['type'], 'unknown'>

const of = <T extends Type>(events: readonly AnyEvent[], type: T): EventData<T>[] =>
  events.filter((event) => event.type === type).map(({ data }) => data as EventData<T>)

const is = (type: Type) => (event: AnyEvent) => event.type === type
const isStopped = ({ status }: SessionSummary) => status.phase === 'stopped'

/** A world in which the scripted model costs a cent for a token of output, and nothing else. */
const withPrices = (test: (world: World) => Promise<void>) =>
  withWorld(async (world) => {
    const file = join(world.dataDir, 'prices.json')
    const cent = { input: 0, output: 10_000, cacheRead: 0, cacheWrite: 0 }
    await writeFile(file, JSON.stringify({ scripted: { '*': cent } }))
    await world.stop()
    await world.start({ BERTH_PRICES: file })
    await test(world)
  })

const create = async ({ client }: World, prompt: string, budgetUsd?: number) => {
  const body = { prompt, settings: budgetUsd === undefined ? {} : { budgetUsd } }
  return (await client.createSession({ params: { project }, body })).id
}

const resume = ({ client }: World, session: string) => client.resumeSession({ params: { project, session } })

const raise = async ({ client }: World, session: string, budgetUsd: number) => {
  const params = { project, session }
  const { version } = await client.getSessionSettings({ params })
  await client.updateSessionSettings({ params, body: { budgetUsd }, ifMatch: version })
}

const raiseProject = async ({ client }: World, projectBudgetUsd: number) => {
  const params = { project }
  const { version } = await client.getProjectSettings({ params })
  await client.updateProjectSettings({ params, body: { projectBudgetUsd }, ifMatch: version })
}

/** What was metered is what is charged, everywhere, and the log is whole. */
const checkCharged = async (world: World, session: string): Promise<AnyEvent[]> => {
  const events = await world.events(session)
  const state = checkLog(events)
  const metered = of(events, 'model.usage').reduce((sum, { costUsd }) => sum + (costUsd ?? 0), 0)
  const { total } = await world.client.getSessionUsage({ params: { project, session } })
  expect(total.costUsd).toBeCloseTo(metered, 6)
  expect(total.requests).toBe(of(events, 'model.usage').length)
  expect(state.spending.usd).toBeCloseTo(metered, 6)
  return events
}

const times = (texts: string[], text: string) => texts.filter((item) => item === text).length

describe('a budget', { timeout: 180_000 }, () => {
  it('[P45] warns, pauses a turn in the middle, and lets the same turn go on to its end when it was raised', () =>
    withPrices(async (world) => {
      const prompt = 'use many tools 6 times'
      const id = await create(world, prompt, 2)
      const paused = await world.settled(id, isStopped)
      expect(paused).toMatchObject({ status: { reason: 'budget' }, blockedBy: 'budget', turns: 1 })
      expect(paused.turn).toMatchObject({ attempt: 1, losses: 0, paused: { reason: 'budget' } })
      const before = await checkCharged(world, id)
      const words = of(before, 'budget.reached').map(({ scope, unit, limit, spent }) => [
        scope,
        unit,
        limit,
        spent,
      ])
      expect(words).toEqual([
        ['session', 'usd', 2, false],
        ['session', 'usd', 2, true],
      ])
      expect(before.filter(is('turn.ended'))).toEqual([])
      expect(before.filter(is('model.error'))).toEqual([])

      const refused = await resume(world, id).catch((error: unknown) => error)
      expect(isBerthError(refused) ? refused.message : refused).toMatchObject(
        /\$2\.\d\d of \$2\.00.*budgetUsd/,
      )
      const params = { project, session: id }
      const { session } = await world.client.createPrompt({ params, body: { content: 'echo: afterwards' } })
      expect(session).toMatchObject({ status: { phase: 'stopped' }, blockedBy: 'budget', queue: [{}] })

      await raise(world, id, 100)
      await resume(world, id)
      await world.settled(id, ({ turns, turn }) => turns === 2 && turn === undefined)
      const events = await checkCharged(world, id)
      const [first, second, third] = of(events, 'turn.started')
      expect(first).toMatchObject({ attempt: 1 })
      expect(second).toMatchObject({ turn: first?.turn, attempt: 2, paused: 'budget' })
      expect(third).toMatchObject({ attempt: 1 })
      const ends = of(events, 'turn.ended').map(({ turn, attempt, result }) => [turn, attempt, result])
      expect(ends).toEqual([
        [first?.turn, 2, 'success'],
        [third?.turn, 1, 'success'],
      ])
      const texts = await deliveredTexts(world, id)
      expect(times(texts, prompt)).toBe(1)
      expect(texts.filter((text) => text.includes('its budget was spent'))).toHaveLength(1)
      // Six rounds of four tools: none was left out, none was done twice.
      expect(of(events, 'tool.result')).toHaveLength(24)
    }))

  it.each(['budget.reached', 'turn.paused'] as const)(
    '[P46] is kept when the backend is killed with -9 at %s',
    (moment) =>
      withPrices(async (world) => {
        const prompt = 'run: sleep 1; echo slept'
        const id = await create(world, prompt, 0.1)
        await world.until(id, is(moment))
        await world.stop('SIGKILL')
        await world.start()
        const paused = await world.settled(id, isStopped)
        expect(paused).toMatchObject({ status: { reason: 'budget' }, turn: { losses: 0, paused: {} } })
        const before = await checkCharged(world, id)
        expect(of(before, 'turn.paused')).toHaveLength(1)
        expect(of(before, 'model.usage')).toHaveLength(1)
        await raise(world, id, 100)
        await resume(world, id)
        await world.until(id, is('turn.ended'))
        const events = await checkCharged(world, id)
        expect(of(events, 'turn.ended')).toMatchObject([{ attempt: 2, result: 'success' }])
        expect(times(await deliveredTexts(world, id), prompt)).toBe(1)
      }),
  )

  it('[P47] of a project is shared by its sessions, goes not far beyond its limit, and holds them all', () =>
    withPrices(async (world) => {
      await raiseProject(world, 3)
      const prompt = 'use many tools 5 times'
      const ids = await Promise.all([create(world, prompt), create(world, prompt)])
      for (const id of ids) {
        const held = await world.settled(id, isStopped)
        expect(held).toMatchObject({ status: { reason: 'budget' }, turn: { paused: {} } })
        expect((await resume(world, id).catch((error: Error) => error.message)) as string).toMatch(
          /projectBudgetUsd/,
        )
      }
      const { budgets, total } = await world.client.getProjectUsage({ params: { project } })
      expect(budgets).toMatchObject([{ scope: 'project', unit: 'usd', limit: 3, spent: true, remaining: 0 }])
      // An answer of each session may have been under way; one costs less than a dollar.
      expect(total.costUsd).toBeGreaterThanOrEqual(3)
      expect(total.costUsd).toBeLessThan(5)
      await raiseProject(world, 1000)
      for (const id of ids) await resume(world, id)
      for (const id of ids) {
        await world.until(id, is('turn.ended'))
        expect(of(await checkCharged(world, id), 'turn.ended')).toMatchObject([{ result: 'success' }])
      }
    }))

  it('[P48] raised, lowered and spent at the same moment: the end is what the last settings say', () =>
    withPrices(async (world) => {
      const prompt = 'use many tools 12 times'
      const id = await create(world, prompt, 1)
      const limits = [0.5, 50, 1.5, 60, 2, 3, 70, 0.2]
      const client = async (turns: number) => {
        for (let i = 0; i < turns; i++) {
          // Whoever comes second is told that the settings changed meanwhile, and whoever resumes too early is refused.
          await raise(world, id, limits[Math.floor(Math.random() * limits.length)] ?? 1).catch(ignoreRefusal)
          await resume(world, id).catch(ignoreRefusal)
        }
      }
      await Promise.all([client(25), client(25)])
      await raise(world, id, 0.1)
      // Under the last settings it can be at its end, or is held.
      const held = await world.settled(id, ({ status }) => ['stopped', 'idle'].includes(status.phase))
      if (held.status.phase === 'stopped') expect(held).toMatchObject({ blockedBy: 'budget' })
      await raise(world, id, 1000)
      if (held.turn !== undefined) await resume(world, id)
      const done = await world.settled(id, ({ turn }) => turn === undefined)
      expect(done).toMatchObject({ status: { phase: 'idle' }, lastTurn: { result: 'success' }, turns: 1 })
      const events = await checkCharged(world, id)
      const pauses = of(events, 'turn.paused').length
      const attempts = of(events, 'turn.started').map(({ attempt }) => attempt)
      expect(attempts).toEqual(Array.from({ length: pauses + 1 }, (_, i) => i + 1))
      expect(times(await deliveredTexts(world, id), prompt)).toBe(1)
    }))
})

const ignoreRefusal = (error: unknown) => {
  if (!isBerthError(error) || !['version_mismatch', 'budget_spent'].includes(error.code)) throw error
}
