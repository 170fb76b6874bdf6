import type { AnyEvent, SessionSummary } from '@berth/contract'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { checkLog } from './support/check-log.ts'
import { claudeProcess, findProcess, runnerProcess } from './support/processes.ts'
import { bothReady, logsOf, type Several, startSeveral } from './support/several.ts'
import { checkAtRest, deliveredTexts, follow } from './support/watched.ts'
import { eventually, project, type World } from './support/world.ts'

let world: Several

beforeAll(async () => {
  world = await startSeveral({ BERTH_MAX_LIVE_SESSIONS: '3' })
}, 60_000)

afterAll(() => world?.dispose())

const is = (type: AnyEvent['type']) => (event: AnyEvent) => event.type === type
const ended = is('turn.ended')
const isIdle = ({ status }: SessionSummary) => status.phase === 'idle'

const create = async ({ client }: Pick<World, 'client'>, prompt?: string): Promise<string> =>
  (await client.createSession({ params: { project }, body: { prompt } })).id

const send = ({ client }: Pick<World, 'client'>, session: string, content: string) =>
  client.createPrompt({ params: { project, session }, body: { content } })

/** Nobody else needs its place. */
const end = async (session: string) => {
  await world.client.deleteSession({ params: { project, session } })
  await eventually(`the end of ${session}`, async () => {
    const { live } = await world.client.getSession({ params: { project, session } }).then(
      ({ status }) => ({ live: status.phase !== 'stopped' }),
      () => ({ live: false }),
    )
    return !live || undefined
  })
}

/** What a test that failed left behind is not the next one's. */
afterEach(async () => {
  await Promise.all(world.replicas.map((replica) => replica.start()))
  const { items } = await world.client.listSessions({ params: { project } })
  await Promise.all(items.map(({ id }) => end(id)))
})

const told = async (test: () => Promise<void>) => {
  try {
    await bothReady(world)
    await test()
  } catch (error) {
    throw new Error(`${String(error)}\n\n${logsOf(world)}`, { cause: error })
  }
}

describe.skipIf(process.platform !== 'linux')(
  'several backends over one PostgreSQL (finds processes by /proc)',
  { timeout: 180_000 },
  () => {
    it('[P94] a stream that is open on one shows what is appended through another, also when the notice is lost', () =>
      told(async () => {
        const [a, b] = world.replicas
        const stop = new AbortController()
        const listed: string[] = []
        const reading = (async () => {
          for await (const change of b.client.projectChanges(project, { signal: stop.signal }))
            if (change.type === 'session') listed.push(`${change.session.id} ${change.session.title}`)
        })()
        const id = await create(a)
        const follower = follow({ ...world, client: b.client }, id)
        await world.settled(id, isIdle)
        const rename = async (title: string) => {
          const params = { project, session: id }
          const { version } = await a.client.getSession({ params })
          const { seq } = await a.client.updateSession({ params, body: { title }, ifMatch: version })
          await eventually(`${title} on the other backend`, async () => follower.seq >= seq || undefined)
          await eventually(`${title} in its list`, async () => listed.includes(`${id} ${title}`) || undefined)
        }
        await rename('told')
        await world.postgres.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ILIKE 'LISTEN%'`,
        )
        await rename('not told')
        await send(a, id, 'echo: across')
        await b.client.getSession({ params: { project, session: id } })
        await world.until(id, ended)
        await checkAtRest({ ...world, client: b.client }, id, follower)
        stop.abort()
        await Promise.all([reading, follower.close()])
        await end(id)
      }))

    it('[P95] a rolling restart under load, gracefully and by kill -9, loses and doubles nothing', () =>
      told(async () => {
        let over = false
        const talk = async (name: string) => {
          const id = await create(world, `echo: ${name} 0`)
          const follower = follow(world, id)
          const sent = [`echo: ${name} 0`]
          await world.until(id, ended)
          while (!over) {
            sent.push(`echo: ${name} ${sent.length}`)
            const { seq } = await send(world, id, sent.at(-1) ?? '')
            await world.until(id, ended, { after: seq })
          }
          return { id, follower, sent }
        }
        const look = async () => {
          while (!over) for await (const _ of world.client.listAll('listSessions', { params: { project } }));
        }
        const long = await create(world, 'count slowly to 60')
        const longFollower = follow(world, long)
        const talks = [talk('a'), talk('b')]
        const looking = look()
        await world.until(long, is('block.delta'))
        for (const signal of ['SIGTERM', 'SIGKILL'] as const)
          for (const replica of world.replicas) {
            const code = await replica.stop(signal)
            if (signal === 'SIGTERM') expect(code).toBe(0)
            await replica.start()
          }
        over = true
        await looking
        const done = await Promise.all(talks)
        await world.until(long, ended)
        for (const { id, follower, sent } of [...done, { id: long, follower: longFollower, sent: [] }]) {
          const events = await checkAtRest(world, id, follower)
          expect(events.filter(is('generation.started'))).toHaveLength(1)
          const ends = events.flatMap((event) => (event.type === 'turn.ended' ? [event.data.result] : []))
          expect(new Set(ends)).toEqual(new Set(['success']))
          if (sent.length > 0) expect(ends).toHaveLength(sent.length)
          const delivered = await deliveredTexts(world, id)
          expect(delivered.filter((text) => text.startsWith('echo: '))).toEqual(sent)
          await follower.close()
          await end(id)
        }
      }))

    it('[P96] sessions of a backend that was killed are taken over: being started, working, and about to be restarted', () =>
      told(async () => {
        const [a, b] = world.replicas
        const working = await create(a, 'count slowly to 60')
        await world.until(working, is('block.delta'))
        const created = await create(a, 'echo: taken over')
        await a.stop('SIGKILL')
        process.kill(await findProcess(world, working, runnerProcess), 'SIGKILL')
        const log = await b.client.events(project, working)
        for await (const event of log) if (ended(event)) break
        const [first, second] = await Promise.all([world.events(working), world.until(created, ended)])
        expect(first.filter(is('generation.started'))).toHaveLength(2)
        expect(second.at(-1)).toMatchObject({ data: { result: 'success' } })
        for (const id of [working, created]) {
          expect(checkLog(await world.events(id)).summary.status.phase).toBe('idle')
          await end(id)
        }
        await a.start()
      }))

    it('[P97] room and budgets hold over all of them together', () =>
      told(async () => {
        const ids = await Promise.all(
          [0, 1, 0, 1, 0].map((index) => create(world.replicas[index] ?? world, 'echo: room')),
        )
        let most = 0
        const running = new Set<string>(ids)
        while (running.size > 0) {
          const { capacity } = await world.client.getQueue({ params: { project } })
          most = Math.max(most, capacity.sessions.used)
          for (const id of running) {
            const { status, turns } = await world.client.getSession({ params: { project, session: id } })
            if (status.phase !== 'idle' || turns === 0) continue
            running.delete(id)
            await end(id)
          }
        }
        expect(most).toBe(3)

        const tokensOf = (events: AnyEvent[]) =>
          events.flatMap((event) =>
            event.type === 'model.usage'
              ? [
                  event.data.inputTokens +
                    event.data.outputTokens +
                    event.data.cacheReadTokens +
                    event.data.cacheWriteTokens,
                ]
              : [],
          )
        const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0)
        const free = await create(world, 'use many tools 4 times')
        await world.until(free, ended)
        const budgetTokens = Math.floor(sum(tokensOf(await world.events(free))) / 2)
        const { id } = await world.client.createSession({
          params: { project },
          body: { prompt: 'use many tools 4 times', settings: { budgetTokens } },
        })
        await world.settled(id, ({ status }) => status.phase === 'stopped')
        const events = await world.events(id)
        expect(checkLog(events).summary).toMatchObject({ status: { reason: 'budget' }, blockedBy: 'budget' })
        const used = tokensOf(events)
        expect(sum(used)).toBeGreaterThanOrEqual(budgetTokens)
        expect(sum(used.slice(0, -1)), 'no request began when the budget was spent').toBeLessThan(
          budgetTokens,
        )
        for (const session of [free, id]) await end(session)
      }))

    it('[P98] kill -9 of PostgreSQL in the middle of turns loses and doubles nothing, and fences no runner', () =>
      told(async () => {
        const { kill, start } = world.postgres
        if (kill === undefined || start === undefined) return
        const ids = await Promise.all([
          create(world, 'count slowly to 80'),
          create(world, 'use many tools 6 times'),
        ])
        const followers = ids.map((id) => follow(world, id))
        for (const id of ids) await world.until(id, is('block.started'))
        const claude = await findProcess(world, ids[0] ?? '', claudeProcess)
        await kill()
        // Long enough that runners and backends notice.
        await eventually('a request that fails', async () =>
          fetch(`${world.url}/readyz`).then(({ ok }) => !ok || undefined),
        ).finally(start)
        for (const [index, id] of ids.entries()) {
          await world.until(id, ended)
          await world.settled(id, isIdle)
          const follower = followers[index]
          if (follower === undefined) throw new Error('nobody followed')
          const events = await checkAtRest(world, id, follower)
          expect(events.filter(is('generation.started'))).toHaveLength(1)
          expect(events.filter(ended)).toHaveLength(1)
          expect(events.find(ended)).toMatchObject({ data: { result: 'success', attempt: 1 } })
          const { total } = await world.client.getSessionUsage({ params: { project, session: id } })
          expect(total.requests).toBe(events.filter(is('model.usage')).length)
          await follower.close()
        }
        expect(await findProcess(world, ids[0] ?? '', claudeProcess)).toBe(claude)
        for (const id of ids) await end(id)
      }))
  },
)
