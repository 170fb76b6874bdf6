import type { AnyEvent } from '@berth/contract'
import { describe, expect, it } from 'vitest'
import { checkLog } from './support/check-log.ts'
import { project, withWorld } from './support/world.ts'

const is = (type: AnyEvent['type']) => (event: AnyEvent) => event.type === type
const ended = is('turn.ended')

describe('people in the loop', { timeout: 120_000 }, () => {
  it('[P14] asks for permission, waits, and does what the person decides', () =>
    withWorld(async ({ client, until, settled, events }) => {
      const { id } = await client.createSession({
        params: { project },
        body: { prompt: 'need permission to run: touch made-by-agent', settings: { ask: ['Bash'] } },
      })
      const params = { project, session: id }
      const asked = await until(id, is('permission.requested'))
      const waiting = await settled(id, ({ status }) => status.phase === 'waiting')
      expect(waiting.requests).toMatchObject([{ kind: 'permission', title: 'Bash' }])
      const request = waiting.requests[0]?.request ?? ''
      await client.decidePermission({
        params: { ...params, request },
        body: { behavior: 'deny', message: 'No.' },
      })
      await expect(
        client.decidePermission({ params: { ...params, request }, body: { behavior: 'allow' } }),
      ).rejects.toMatchObject({ code: 'request_closed' })
      const first = await until(id, ended, { after: asked.at(-1)?.seq ?? 0 })
      expect(first.find(is('tool.result'))).toMatchObject({ data: { isError: true } })

      await client.createPrompt({ params, body: { content: 'need permission to run: echo granted' } })
      const again = await settled(id, ({ status }) => status.phase === 'waiting')
      const second = again.requests[0]?.request ?? ''
      await client.decidePermission({ params: { ...params, request: second }, body: { behavior: 'allow' } })
      const rest = await until(id, ended, { after: first.at(-1)?.seq ?? 0 })
      expect(rest.find(is('tool.result'))).toMatchObject({
        data: { isError: false, text: expect.stringContaining('granted') },
      })
      checkLog(await events(id))
    }))

  it('[P15] carries a question to a person and the answer to the agent', () =>
    withWorld(async ({ client, until, settled }) => {
      const { id } = await client.createSession({
        params: { project },
        body: { prompt: 'ask me which colour: red or blue' },
      })
      const log = await until(id, is('question.asked'))
      const asked = log.at(-1)
      if (asked?.type !== 'question.asked') throw new Error('unreachable')
      const [question] = asked.data.questions
      expect(question?.options.map(({ label }) => label)).toEqual(['red', 'blue'])
      await settled(id, ({ status }) => status.phase === 'waiting')
      await client.answerQuestion({
        params: { project, session: id, request: asked.data.request },
        body: { answers: { [question?.question ?? '']: 'blue' } },
      })
      const rest = await until(id, ended, { after: asked.seq })
      expect(JSON.stringify(rest.map(({ data }) => data))).toContain('blue')
    }))

  it('[P16] queues prompts while busy, lets them be withdrawn, and keeps what an interrupted turn said', () =>
    withWorld(async ({ client, until, settled, events }) => {
      const { id } = await client.createSession({
        params: { project },
        body: { prompt: 'count slowly to 300' },
      })
      const params = { project, session: id }
      const begun = await until(id, is('block.delta'))
      const kept = await client.createPrompt({ params, body: { content: 'echo: after' } })
      const gone = await client.createPrompt({ params, body: { content: 'echo: never' } })
      expect([kept.position, gone.position]).toEqual([0, 1])
      const shown = await client.withdrawPrompt({ params: { ...params, prompt: gone.prompt } })
      expect(shown.queue.map(({ prompt }) => prompt)).toEqual([kept.prompt])
      await client.interruptSession({ params })
      const log = await until(id, ended, { after: begun.at(-1)?.seq ?? 0 })
      expect(log.at(-1)).toMatchObject({ data: { result: 'interrupted' } })
      const said = log.find(is('block.completed'))
      expect(said, 'what was said stays').toMatchObject({ data: { text: expect.stringMatching(/^1/) } })
      await until(id, (event) => event.type === 'turn.ended' && event.data.result === 'success', {
        after: log.at(-1)?.seq ?? 0,
      })
      const idle = await settled(id, ({ status }) => status.phase === 'idle')
      expect(idle).toMatchObject({ turns: 2, queue: [] })
      const all = await events(id)
      expect(JSON.stringify(all.filter(is('turn.started')))).not.toContain(gone.prompt)
      checkLog(all)
    }))

  it('[P17] deletes with undo', () =>
    withWorld(async ({ client, settled }) => {
      const { id } = await client.createSession({ params: { project }, body: { title: 'Undo me' } })
      const params = { project, session: id }
      await settled(id, ({ status }) => status.phase === 'idle')
      await client.deleteSession({ params })
      const { items } = await client.listSessions({ params: { project } })
      expect(items).toEqual([])
      const deleted = await client.listSessions({ params: { project }, query: { deleted: 'true' } })
      expect(deleted.items).toMatchObject([{ id, title: 'Undo me' }])
      await settled(id, ({ status }) => status.phase === 'stopped')
      expect(await client.restoreSession({ params })).toMatchObject({ desired: 'stopped' })
      await client.resumeSession({ params })
      await settled(id, ({ status }) => status.phase === 'idle')
    }))
})
