import { expect, it } from 'vitest'
import { withBackend } from '../test-backend.ts'
import { senderOfTurn } from './sender.ts'

const sessions = '/api/projects/default/sessions'

it('is whoever sent the prompt of the turn, then of the last one, and the owner before the first', () =>
  withBackend(async (backend) => {
    const { body: key } = await backend.call<{ id: string; secret: string }>('/api/projects/default/keys', {
      body: { name: 'ci' },
    })
    const { session, spec } = await backend.idleSession()
    const sender = async () => senderOfTurn(await stateOf(backend.parts.store.state(session)))
    expect(await sender()).toMatchObject({ kind: 'user', id: 'owner' })
    await backend.call(`${sessions}/${session}/prompts`, { token: key.secret, body: { content: 'Hello' } })
    const ofKey = { kind: 'key', id: key.id, name: 'ci' }
    expect(await sender()).toEqual(ofKey)
    const { turn } = await backend.summary(session)
    expect(turn?.sender).toEqual(ofKey)
    const end = { turn: turn?.turn ?? '', attempt: 1, result: 'success', message: '', durationMs: 1 } as const
    await backend.facts(spec, 3, { type: 'turn.ended', data: end })
    expect((await backend.summary(session)).turn).toBeUndefined()
    expect(await sender()).toEqual(ofKey)
  }))

const stateOf = async <T>(found: Promise<T | undefined>): Promise<T> => {
  const state = await found
  if (state === undefined) throw new Error('There is no such session')
  return state
}
