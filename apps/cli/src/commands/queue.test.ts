import { type NewEvent, type ProjectQueue, platformSettings } from '@berth/contract'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runAgainst } from '../test-context.ts'
import { type FakeBackend, person, startFakeBackend } from '../test-server.ts'

let fake: FakeBackend
let session: string

beforeEach(async () => {
  fake = await startFakeBackend()
  expect(await run(['run', '--detach', 'Fix the flaky test'])).toMatchObject({ code: 0 })
  session = [...fake.sessions.keys()][0] ?? ''
  fake.append(session, {
    type: 'session.waits',
    data: { reason: 'sessions', message: 'As many live as may.', position: 9 },
  })
  const queue: ProjectQueue = {
    items: [
      {
        session,
        title: 'Fix the flaky test',
        owner: person,
        position: 4,
        reason: 'sessions',
        since: new Date().toISOString(),
      },
    ],
    waiting: 1,
    capacity: { sessions: { used: 8, limit: 8 }, project: { used: 2 }, memoryBytes: { used: 1024 ** 3 } },
  }
  fake.answers.getQueue = queue
  fake.answers.getSessionSettings = { version: 1, own: {}, effective: platformSettings, origins: {} }
})

afterEach(() => fake.close())

const run = (args: string[]) => runAgainst(fake.url, args)

describe('a session that waits for room', () => {
  test('is listed in the queue', async () => {
    expect((await run(['queue'])).out).toMatch(/4 .*Fix the flaky test.*Ann.*as many sessions live as may/)
    expect(JSON.parse((await run(['queue', '--json'])).out)).toMatchObject({ waiting: 1 })
  })

  test('is shown with the place that it has now', async () => {
    expect((await run(['ls'])).out).toContain('Place 4 in the queue.')
    expect((await run(['show', 'last'])).out).toMatch(/place +4 in the queue for room/)
  })

  test('is explained, with what would help', async () => {
    const { code, out } = await run(['doctor', 'last'])
    expect(code).toBe(0)
    expect(out.replace(/\s+/g, ' ')).toMatch(/place 4 in the queue.*8 of 8 sessions live.*stop SESSION/)
  })
})

test('what a live session uses is shown', async () => {
  fake.append(session, { type: 'generation.started', data: { generation: 1, runtime: 'local' } })
  // A fact of this generation's runner.
  fake.append(session, {
    type: 'agent.resources',
    data: { memoryBytes: 230 * 1024 ** 2, cpuMs: 12_000, processes: 5 },
    generation: 1,
  } as NewEvent)
  expect((await run(['show', 'last'])).out).toContain('230 MB of memory, 5 processes, 12 s of CPU time')
})
