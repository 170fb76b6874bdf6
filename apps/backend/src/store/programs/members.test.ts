import { limits } from '@berth/contract'
import { expect, it } from 'vitest'
import type { Member } from '../access-store.ts'
import type { Program } from '../query.ts'
import { keyPrograms } from './keys.ts'
import { addMember } from './members.ts'

const ada: Member = {
  ...{ project: 'web', kind: 'user', id: 'ada', role: 'viewer' },
  ...{ addedAt: 0, addedBy: { kind: 'user', id: 'owner' } },
}

/** Runs a program on a database that gives these outcomes. */
const run = (program: Program<unknown>, outcomes: unknown[]): boolean => {
  let step = program.next()
  for (const outcome of outcomes) if (step.done !== true) step = program.next(outcome)
  return step.done === true
}

const stored = {
  project: 'web',
  subject: 'user:ada',
  role: 'viewer',
  name: null,
  added_at: 0,
  added_by: '{}',
}

it('bounds the members of a project; a change of one is none more', () => {
  expect(() => run(addMember(ada), [undefined, { count: limits.members }])).toThrow(/has 500 members/)
  expect(run(addMember(ada), [undefined, { count: limits.members - 1 }, 1, stored])).toBe(true)
  expect(run(addMember(ada), [stored, 1, stored])).toBe(true)
})

it('bounds the API keys that count', () => {
  const key = { id: 'key_1', project: 'web', name: 'ci', role: 'viewer' as const, hash: 'h' }
  const made = keyPrograms.createKey({ ...key, createdBy: ada.addedBy, now: 0, expiresAt: 1 })
  expect(() => run(made, [{ name: 'web' }, { count: limits.keys }])).toThrow(/has 100 keys that count/)
})
