import type { AnyEvent } from '@berth/contract'
import { describe, expect, it } from 'vitest'
import { checkLog } from './support/check-log.ts'
import { project, withWorld } from './support/world.ts'

const is = (type: AnyEvent['type']) => (event: AnyEvent) => event.type === type
const ended = is('turn.ended')

describe('a model that fails', { timeout: 120_000 }, () => {
  it.each([
    ['overloaded 2 times', 'success', 529],
    ['cut the stream', 'success', undefined],
    ['break the stream', 'success', undefined],
    ['fail with 400', 'error', 400],
    ['fail with 401', 'error', 401],
    ['fail with 429 1 times, retry after 1', 'success', 429],
  ])('[P25] %s: the turn ends as %s', (prompt, result, status) =>
    withWorld(async ({ client, until, settled, events }) => {
      const { id } = await client.createSession({ params: { project }, body: { prompt } })
      const params = { project, session: id }
      const log = await until(id, ended)
      expect(log.at(-1)).toMatchObject({ data: { result } })
      if (status !== undefined)
        expect(log.filter(is('model.error'))).toEqual(
          expect.arrayContaining([expect.objectContaining({ data: expect.objectContaining({ status }) })]),
        )
      await settled(id, ({ status }) => status.phase === 'idle')
      await client.createPrompt({ params, body: { content: 'echo: goes on' } })
      const next = await until(id, ended, { after: log.at(-1)?.seq ?? 0 })
      expect(next.at(-1)).toMatchObject({ data: { result: 'success', message: 'goes on' } })
      checkLog(await events(id))
    }),
  )

  it('[P25] a model that never answers can be interrupted', () =>
    withWorld(async ({ client, until }) => {
      const { id } = await client.createSession({ params: { project }, body: { prompt: 'stall' } })
      const begun = await until(id, is('turn.started'))
      await client.interruptSession({ params: { project, session: id } })
      const log = await until(id, ended, { after: begun.at(-1)?.seq ?? 0 })
      expect(log.at(-1)).toMatchObject({ data: { result: 'interrupted' } })
    }))
})
