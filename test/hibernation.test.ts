import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AnyEvent } from '@berth/contract'
import { crashPoints } from '@berth/testing/crash-points'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkLog } from './support/check-log.ts'
import { findProcess, processesNaming, runnerProcess, signal } from './support/processes.ts'
import { sampleRepo } from './support/sample.ts'
import { eventually, project, type World, withWorld } from './support/world.ts'

let parent: string

beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'berth-sleep-'))
})

afterAll(() => rm(parent, { recursive: true, force: true }))

const is = (type: AnyEvent['type']) => (event: AnyEvent) => event.type === type
const ended = is('turn.ended')

/** A fraction of a second: long enough to be idle, short enough for a test. */
const soon = 0.01

/** A session that has written a file which nobody committed, and falls asleep soon. */
const sleeper = async ({ client, until }: World, name: string): Promise<string> => {
  const repositories = [{ url: await sampleRepo(parent, name) }]
  const settings = { idleMinutes: soon }
  const prompt = 'write notes.md: hello'
  const { id } = await client.createSession({ params: { project }, body: { prompt, repositories, settings } })
  await until(id, ended)
  return id
}

const asleep = ({ settled }: World, id: string) =>
  settled(id, ({ status }) => status.phase === 'stopped' && status.reason === 'idle')

/** Sends a prompt that looks at the files. */
const send = ({ client }: World, id: string) => {
  const content = 'run: cat notes.md && git status --short'
  return client.createPrompt({ params: { project, session: id }, body: { content } })
}

/** Sends it, and gives the log from there to the end of its turn. */
const wake = async (world: World, id: string): Promise<AnyEvent[]> => {
  const { seq } = await send(world, id)
  return world.until(id, ended, { after: seq })
}

/** The steps of waking, by the event that each ends with. */
const wakingSteps = [
  'prompt.queued',
  'generation.started',
  'runner.started',
  'agent.ready',
  'turn.started',
] as const

/** The agent saw the file as it was, in the conversation of before. */
const checkAwake = (log: readonly AnyEvent[], events: readonly AnyEvent[]): void => {
  expect(log.at(-1)).toMatchObject({ data: { result: 'success' } })
  const result = JSON.stringify(events.findLast(is('tool.result'))?.data)
  expect(result).toContain('hello')
  expect(result).toContain('?? notes.md')
  const conversations = events.flatMap((event) =>
    event.type === 'agent.ready' && event.data.conversation !== undefined ? [event.data.conversation] : [],
  )
  expect(new Set(conversations).size).toBe(1)
  checkLog(events)
}

describe('a session without work', { timeout: 180_000 }, () => {
  it('[P41] falls asleep, leaves no process, and a prompt wakes it with conversation and files', () =>
    withWorld(async (world) => {
      const id = await sleeper(world, 'sleeps')
      const summary = await asleep(world, id)
      expect(summary).toMatchObject({ desired: 'stopped', activity: 'Stopped (idle)' })
      expect(summary.resources).toBeUndefined()
      await eventually('no process of it', async () => (await processesNaming(id)).length === 0 || undefined)
      const log = await wake(world, id)
      checkAwake(log, await world.events(id))
      // And it falls asleep again.
      await asleep(world, id)
    }))

  it('[P41] is not one that waits for a person', () =>
    withWorld(async (world) => {
      const body = {
        prompt: 'need permission to run: echo granted',
        settings: { ask: ['Bash'], idleMinutes: soon },
      }
      const { id: waits } = await world.client.createSession({ params: { project }, body })
      const { seq = 0 } = (await world.until(waits, is('permission.requested'))).at(-1) ?? {}
      // Another one lives, becomes idle and falls asleep, all while the first waits.
      await asleep(world, await sleeper(world, 'other'))
      const params = { project, session: waits }
      const { status, requests } = await world.client.getSession({ params })
      expect(status.phase).toBe('waiting')
      await world.client.decidePermission({
        params: { ...params, request: requests[0]?.request ?? '' },
        body: { behavior: 'allow', scope: 'once' },
      })
      const log = await world.until(waits, ended, { after: seq })
      expect(log.at(-1)).toMatchObject({ data: { result: 'success' } })
      await asleep(world, waits)
    }))
})

const falling = (event: AnyEvent) => event.type === 'session.stop_requested' && event.data.reason === 'idle'

describe.skipIf(process.platform !== 'linux')(
  'killed with -9 (finds processes by /proc)',
  { timeout: 180_000 },
  () => {
    it('[P42] the backend, the runner or both, while a session falls asleep: it sleeps, and wakes with everything', () =>
      withWorld(async (world) => {
        const id = await sleeper(world, 'falls')
        for (const victims of crashPoints([['backend'], ['runner'], ['runner', 'backend']])) {
          await asleep(world, id)
          const { seq } = await send(world, id)
          await world.until(id, is('turn.started'), { after: seq })
          const runner = await findProcess(world, id, runnerProcess)
          await world.until(id, falling, { after: seq })
          if (victims.includes('runner')) signal(runner, 'SIGKILL')
          if (victims.includes('backend')) {
            await world.stop('SIGKILL')
            await world.start()
          }
          await asleep(world, id)
          checkAwake(await wake(world, id), await world.events(id))
        }
      }))

    it('[P42] the runner and the backend, after each step of waking: the prompt is delivered once', () =>
      withWorld(async (world) => {
        const id = await sleeper(world, 'wakes')
        for (const [turns, step] of crashPoints(wakingSteps).entries()) {
          await asleep(world, id)
          const { seq } = await send(world, id)
          await world.until(id, is(step), { after: seq - 1 })
          const runner = await world.runnerPid(id).catch(() => undefined)
          if (runner !== undefined) signal(-runner, 'SIGKILL')
          await world.stop('SIGKILL')
          await world.start()
          const log = await world.until(id, ended, { after: seq })
          const events = await world.events(id)
          checkAwake(log, events)
          const begun = events.filter((event) => event.type === 'turn.started' && event.data.attempt === 1)
          expect([step, begun.length]).toEqual([step, turns + 2])
        }
      }))
  },
)

describe('a session that has used up a limit', { timeout: 120_000 }, () => {
  it('[P43] stops, keeps its prompts, and goes on when the limit is raised', () =>
    withWorld(async (world) => {
      const { client, until, settled } = world
      const body = { prompt: 'echo: one', settings: { maxTurns: 1 } }
      const { id } = await client.createSession({ params: { project }, body })
      const params = { project, session: id }
      await settled(id, ({ status }) => status.phase === 'stopped' && status.reason === 'turns')
      const { seq } = await client.createPrompt({ params, body: { content: 'echo: two' } })
      const held = await client.getSession({ params })
      expect(held).toMatchObject({ desired: 'stopped', blockedBy: 'turns', queue: [{}] })
      await expect(client.resumeSession({ params })).rejects.toMatchObject({ code: 'limit_reached' })
      await client.updateSessionSettings({ params, body: { maxTurns: 2 } as never, ifMatch: held.version })
      await client.resumeSession({ params })
      const log = await until(id, ended, { after: seq })
      expect(log.at(-1)).toMatchObject({ data: { result: 'success', message: 'two' } })
      await settled(id, ({ status }) => status.phase === 'stopped' && status.reason === 'turns')
      checkLog(await world.events(id))
    }))
})
