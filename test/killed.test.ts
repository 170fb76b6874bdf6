import type { AnyEvent } from '@berth/contract'
import { describe, expect, it } from 'vitest'
import { allowUntilEnded } from './support/allow.ts'
import { checkLog } from './support/check-log.ts'
import { claudeProcess, findProcess, runnerProcess } from './support/processes.ts'
import { project, type World, withWorld } from './support/world.ts'

const is = (type: AnyEvent['type']) => (event: AnyEvent) => event.type === type
const ended = is('turn.ended')

const create = async ({ client }: World, prompt: string) =>
  (await client.createSession({ params: { project }, body: { prompt } })).id

const toldOnce = (events: AnyEvent[], prompt: string) => {
  const prompts = events.filter(
    (event) => event.type === 'prompt.queued' && JSON.stringify(event.data).includes(prompt),
  )
  expect(prompts).toHaveLength(1)
}

describe.skipIf(process.platform !== 'linux')(
  'killed with -9 (finds processes by /proc)',
  { timeout: 120_000 },
  () => {
    it('[P18] the backend, while the agent speaks: nothing is lost or doubled, and the runner is adopted', () =>
      withWorld(async (world) => {
        const id = await create(world, 'count slowly to 60')
        const before = await world.until(id, is('block.delta'))
        await world.stop('SIGKILL')
        await world.start()
        const log = await world.until(id, ended, { after: before.at(-1)?.seq ?? 0 })
        expect(log.at(-1)).toMatchObject({ data: { result: 'success', attempt: 1 } })
        const events = await world.events(id)
        const text = events.findLast(is('block.completed'))
        expect(JSON.stringify(text?.data)).toContain('60')
        expect(events.filter(is('generation.started'))).toHaveLength(1)
        toldOnce(events, 'count slowly')
        checkLog(events)
      }))

    it('[P19] the runner, while the agent speaks: the real reason is told, and the turn goes on once', () =>
      withWorld(async (world) => {
        const id = await create(world, 'count slowly to 60')
        const before = await world.until(id, is('block.delta'))
        process.kill(await findProcess(world, id, runnerProcess), 'SIGKILL')
        const log = await world.until(id, ended, { after: before.at(-1)?.seq ?? 0 })
        expect(log.find(is('generation.ended'))).toMatchObject({
          data: { reason: 'killed', signal: 'SIGKILL' },
        })
        expect(log.find(is('turn.started'))).toMatchObject({ data: { attempt: 2 } })
        expect(log.at(-1)).toMatchObject({ data: { result: 'success' } })
        const events = await world.events(id)
        toldOnce(events, 'count slowly')
        checkLog(events)
        await world.client.createPrompt({
          params: { project, session: id },
          body: { content: 'echo: still here' },
        })
        await world.until(id, ended, { after: events.at(-1)?.seq ?? 0 })
      }))

    it('[P20] Claude Code, while it speaks: the session goes on', () =>
      withWorld(async (world) => {
        const id = await create(world, 'count slowly to 60')
        const before = await world.until(id, is('block.delta'))
        process.kill(await findProcess(world, id, claudeProcess), 'SIGKILL')
        const log = await world.until(id, ended, { after: before.at(-1)?.seq ?? 0 })
        expect(log.some(is('agent.exited'))).toBe(true)
        expect(log.at(-1)).toMatchObject({ data: { result: 'success' } })
        checkLog(await world.events(id))
      }))

    it('[P21] the backend and the runner, before the agent is ready: the prompt is delivered once', () =>
      withWorld(async (world) => {
        const id = await create(world, 'echo: delivered')
        await world.until(id, is('generation.started'))
        process.kill(await findProcess(world, id, runnerProcess), 'SIGKILL')
        await world.stop('SIGKILL')
        await world.start()
        const log = await world.until(id, ended)
        expect(log.at(-1)).toMatchObject({ data: { result: 'success', message: 'delivered' } })
        const events = await world.events(id)
        toldOnce(events, 'echo: delivered')
        checkLog(events)
      }))

    it('[P22] the runner, while a person is needed: the request is cancelled, and the session goes on', () =>
      withWorld(async (world) => {
        const { id } = await world.client.createSession({
          params: { project },
          body: { prompt: 'need permission to run: echo granted', settings: { ask: ['Bash'] } },
        })
        const before = await world.until(id, is('permission.requested'))
        process.kill(await findProcess(world, id, runnerProcess), 'SIGKILL')
        const after = before.at(-1)?.seq ?? 0
        await world.until(id, is('request.cancelled'), { after })
        // The agent may not have kept that it had asked: then it asks again.
        await Promise.all([world.until(id, ended, { after }), allowUntilEnded(world, id)])
        const summary = await world.settled(id, ({ status }) => status.phase === 'idle')
        expect(summary.requests).toEqual([])
        checkLog(await world.events(id))
      }))

    it('[P23] a second backend on the same data directory refuses', () =>
      withWorld(async (world) => {
        await expect(world.start({ BERTH_PORT: '0', BERTH_RUNNER_PORT: '0' })).rejects.toThrow(
          /another|in use|already/i,
        )
      }))
  },
)
