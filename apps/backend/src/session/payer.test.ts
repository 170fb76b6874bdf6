import { expect, it } from 'vitest'
import * as at from './fixtures/situations.ts'
import { payerOf } from './read-spending.ts'

const bob = { kind: 'user', id: 'bob' } as const

it('[P184] is the sender of the prompt that the turn works on, and of the last one between turns', () => {
  const working = at.run(at.stateIn('idle'), { ...at.prompt(1), actor: bob } as Parameters<typeof at.run>[1])
  expect(working.state.summary.turn).toBeDefined()
  expect(working.state.summary.owner.id).toBe('ada')
  expect(payerOf(working.state)).toBe('bob')
  // A prompt that waits changes nothing for the turn that runs.
  const queued = at.run(working.state, at.prompt(2))
  expect(payerOf(queued.state)).toBe('bob')
})

it('is the owner before the first turn', () => {
  expect(payerOf(at.run(undefined, at.create).state)).toBe('ada')
})
