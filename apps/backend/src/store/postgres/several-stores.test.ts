import { isBerthError } from '@berth/contract'
import { type Postgres, startPostgres } from '@berth/testing'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  createCommand,
  factsCommand,
  launch,
  newId,
  promptCommand,
  started,
  startOfTime,
  status,
} from '../conformance/harness.ts'
import type { AppendRequest, Notice, Store } from '../port.ts'
import { createPostgresStore } from './postgres-store.ts'

let postgres: Postgres
let url: string
let stores: [Store, Store]

beforeAll(async () => {
  // The server is killed here: what it said is durable has to be.
  postgres = await startPostgres({ durable: true })
})
afterAll(() => postgres.stop())
beforeEach(async () => {
  url = await postgres.createDatabase()
  // At once: one of them makes the tables.
  stores = await Promise.all([createPostgresStore({ url }), createPostgresStore({ url })])
  const nothing = { description: '', settings: {}, now: startOfTime }
  for (const name of ['p', 'q']) await stores[0].createProject({ name, displayName: name, ...nothing })
})
afterEach(async () => {
  await Promise.all(stores.map((store) => store.close()))
  await postgres.dropDatabase(url)
})

const request = (
  session: string,
  command: AppendRequest['command'],
  more: Partial<AppendRequest> = {},
): AppendRequest => ({ session, command, turn: newId('turn'), now: startOfTime, ...more })

const newSession = async (project = 'p', title = 'Title'): Promise<string> => {
  const session = newId('session')
  await stores[0].append(request(session, createCommand(session, { project, title })))
  return session
}

const keyed = (key: string) => ({ idempotency: { scope: 'ada POST', key, hash: 'same' } })

/** As a client does it: asks again, with its key, until there is an answer. */
const untilAnswered = async (store: Store, what: AppendRequest) => {
  for (;;) {
    try {
      return await store.append(what)
    } catch (error) {
      if (!isBerthError(error) || error.code !== 'unavailable') throw error
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}

const eventsOf = async (session: string, type?: string) => {
  const lines = await stores[0].events(session, { after: 0, limit: 10_000, maxBytes: 1e9 })
  expect(lines.map(({ seq }) => seq)).toEqual(lines.map((_, index) => index + 1))
  const events = lines.map(({ json }) => JSON.parse(json))
  return type === undefined ? events : events.filter((event) => event.type === type)
}

/** Ends all connections of the stores to their database, as a network does it. */
const cut = () =>
  postgres.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND application_name LIKE 'berth%'",
    [new URL(url).pathname.slice(1)],
  )

describe('two stores over one database', { timeout: 60_000 }, () => {
  it('[P90] append to the same sessions: every event once, seq without gaps, revisions in the order of commits', async () => {
    const sessions = await Promise.all(['p', 'p', 'q'].map((project) => newSession(project)))
    const seen: Notice[] = []
    const stop = stores[0].watch((notice) => seen.push(notice))
    await Promise.all(
      sessions.flatMap((session) =>
        Array.from({ length: 30 }, (_, index) =>
          stores[index % 2 === 0 ? 0 : 1].append(request(session, promptCommand())),
        ),
      ),
    )
    for (const session of sessions) expect(await eventsOf(session, 'prompt.queued')).toHaveLength(30)
    const { items } = await stores[1].changes('p', { after: 0, limit: 1000 })
    expect(items).toHaveLength(2)
    expect(await stores[1].revision('p')).toBe(62)
    const own = seen.flatMap(({ project, lines, change }) =>
      project === 'p' && lines !== undefined && change !== undefined ? [change.revision] : [],
    )
    expect(own).toEqual(own.toSorted((a, b) => a - b))
    stop()
  })

  it('[P90] take facts once, whichever store is given them', async () => {
    const session = await newSession()
    await stores[0].append(request(session, launch))
    const command = factsCommand(1, [started, status('one'), status('two')])
    await Promise.all(
      [0, 1, 0, 1].map((index) => stores[index === 0 ? 0 : 1].append(request(session, command))),
    )
    expect(await eventsOf(session, 'agent.status')).toHaveLength(2)
    expect((await stores[1].state(session))?.n).toBe(3)
  })

  it('[P91] do what has a key once, also when both are asked at the same time', async () => {
    const ids = Array.from({ length: 10 }, () => newId('session'))
    const results = await Promise.all(
      ids.map((session, index) =>
        stores[index % 2 === 0 ? 0 : 1].append(request(session, createCommand(session), keyed('create'))),
      ),
    )
    expect(new Set(results.map(({ state }) => state.summary.id)).size).toBe(1)
    expect(results.filter(({ replayed }) => !replayed)).toHaveLength(1)
    const existing = await Promise.all(ids.map((id) => stores[0].state(id)))
    expect(existing.filter((state) => state !== undefined)).toHaveLength(1)
  })

  it('give a lease to one of them, for as long as the database says', async () => {
    const [one, two] = stores
    const taken = await Promise.all([one.lease('round', 'one', 60_000), two.lease('round', 'two', 60_000)])
    expect(taken.filter(Boolean)).toHaveLength(1)
    const winner = taken[0] ? 'one' : 'two'
    expect(await two.lease('round', winner, 1)).toBe(true)
    await vi.waitFor(async () => expect(await one.lease('round', 'three', 60_000)).toBe(true), 20_000)
  })

  it('offer no session that somebody works on', async () => {
    const [one, two] = await Promise.all([newSession(), newSession()])
    const look = () => stores[1].attention({ now: startOfTime + 1000, silentBefore: startOfTime, limit: 10 })
    expect((await look()).toSorted()).toEqual([one, two].toSorted())
    await stores[0].lease(`session:${one}`, 'other', 60_000)
    expect(await look()).toEqual([two])
  })

  it('tell each other what they appended, again after their connections broke', async () => {
    const session = await newSession()
    const seen: Notice[] = []
    stores[1].watch((notice) => seen.push(notice))
    await stores[0].append(request(session, promptCommand()))
    const last = { session, project: 'p', seq: 2, change: { revision: 2 } }
    await vi.waitFor(() => expect(seen).toContainEqual(last), 10_000)
    const before = seen.length
    await cut()
    await vi.waitFor(async () => {
      await untilAnswered(stores[0], request(session, promptCommand()))
      expect(seen.length).toBeGreaterThan(before)
    }, 20_000)
  })

  it('[P92] lose and double nothing when their connections are cut, whatever they were doing', async () => {
    const sessions = await Promise.all([newSession(), newSession('q')])
    const prompts = Array.from({ length: 120 }, () => newId('prompt'))
    let answered = 0
    let done = false
    const cutting = (async () => {
      for (let cuts = 0; !done && cuts < 8; cuts++) {
        const before = answered
        await vi.waitUntil(() => done || answered > before + 5, 30_000)
        await cut()
      }
    })()
    const workers = Array.from({ length: 4 }, async (_, worker) => {
      for (let index = worker; index < prompts.length; index += 4) {
        const session = sessions[index % 2] ?? ''
        const what = request(session, promptCommand(prompts[index]), keyed(`prompt ${index}`))
        await untilAnswered(stores[index % 3 === 0 ? 0 : 1], what)
        answered += 1
      }
    })
    await Promise.all(workers)
    done = true
    await cutting
    const queued = await Promise.all(sessions.map((session) => eventsOf(session, 'prompt.queued')))
    const found = queued.flat().map(({ data }) => data.prompt)
    expect(found.toSorted()).toEqual(prompts.toSorted())
  })

  it.runIf(process.env.BERTH_TEST_DATABASE_URL === undefined)(
    '[P93] go on when the server was killed, with everything that was acknowledged',
    async () => {
      const session = await newSession()
      const acknowledged: string[] = []
      const all = Array.from({ length: 60 }, async (_, index) => {
        const prompt = newId('prompt')
        await untilAnswered(stores[0], request(session, promptCommand(prompt), keyed(`k ${index}`)))
        acknowledged.push(prompt)
      })
      await vi.waitUntil(() => acknowledged.length > 5, 20_000)
      await postgres.kill?.()
      const refused = await stores[1].append(request(session, promptCommand())).catch((error) => error)
      expect(refused).toMatchObject({ code: 'unavailable' })
      expect(String(refused)).not.toContain(new URL(url).password)
      await postgres.start?.()
      await Promise.all(all)
      const found = (await eventsOf(session, 'prompt.queued')).map(({ data }) => data.prompt)
      expect(found.toSorted()).toEqual(acknowledged.toSorted())
    },
  )

  it('refuse a database with other tables', async () => {
    const other = await postgres.createDatabase()
    const client = new pg.Client({ connectionString: other })
    await client.connect()
    await client.query('CREATE TABLE something (id int)')
    await client.end()
    await expect(createPostgresStore({ url: other })).rejects.toMatchObject({ reason: 'other-schema' })
    await postgres.dropDatabase(other)
  })

  it('take a database in which the operator has views, and an extension its tables', async () => {
    const other = await postgres.createDatabase()
    const client = new pg.Client({ connectionString: other })
    await client.connect()
    await client.query(
      'CREATE TABLE of_extension (id int); CREATE VIEW activity AS SELECT * FROM pg_stat_activity',
    )
    // As if CREATE EXTENSION had made it: which extensions there are to make depends on the server.
    await client.query('ALTER EXTENSION plpgsql ADD TABLE of_extension')
    await client.end()
    await (await createPostgresStore({ url: other })).close()
    await postgres.dropDatabase(other)
  })

  it('keep what PostgreSQL has no place for', async () => {
    const session = await newSession('p', 'a\0b \ud800')
    expect(JSON.parse((await stores[1].summary('p', session)) ?? '').title).toBe('a\0b \ud800')
  })
})
