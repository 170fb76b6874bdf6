import { BerthError } from '@berth/contract'
import { afterEach, expect, it, vi } from 'vitest'
import { eventually } from '../test-backend.ts'
import { type Guarded, Guards } from './stream-guard.ts'

const never = 1e9
let guards: Guards | undefined
afterEach(() => guards?.stop())

const watched = (key: string, check: () => Promise<void>) => {
  const told = { revoked: vi.fn(), unknown: vi.fn() }
  const guarded: Guarded = { guard: { key, check }, ...told }
  return { ...told, guarded }
}

it('asks once for those with the same key, and tells all of them', async () => {
  guards = new Guards({ everyMs: never })
  const check = vi.fn(async () => {
    throw new BerthError('forbidden', 'No more.')
  })
  const all = Array.from({ length: 100 }, () => watched('a', check))
  const other = watched('b', async () => undefined)
  for (const { guarded } of [...all, other]) guards.add(guarded)
  guards.recheck()
  await eventually('the end', () => all.every(({ revoked }) => revoked.mock.calls.length === 1))
  expect(check).toHaveBeenCalledTimes(1)
  expect(all[0]?.revoked).toHaveBeenCalledWith({ code: 'forbidden', detail: 'No more.' })
  expect(other.revoked).not.toHaveBeenCalled()
})

it('looks again when it is asked to while it looks', async () => {
  guards = new Guards({ everyMs: never })
  const looks: (() => void)[] = []
  const { guarded } = watched('a', () => new Promise<void>((resolve) => looks.push(resolve)))
  guards.add(guarded)
  guards.recheck()
  guards.recheck()
  guards.recheck()
  await eventually('the first look', () => looks.length === 1)
  looks[0]?.()
  await eventually('the second', () => looks.length === 2)
  looks[1]?.()
  guards.recheck()
  await eventually('a later one', () => looks.length === 3)
})

it.each(['session_not_found', 'project_not_found', 'unauthenticated'] as const)(
  'ends by %s',
  async (code) => {
    guards = new Guards({ everyMs: never })
    const { guarded, revoked } = watched('a', () => Promise.reject(new BerthError(code, '')))
    guards.add(guarded)
    guards.recheck()
    await eventually('the end', () => revoked.mock.calls.length === 1)
  },
)

it('keeps what nobody can judge for a while, and no longer', async () => {
  let now = 0
  guards = new Guards({ everyMs: 1, patienceMs: 100, now: () => now })
  const check = vi.fn(() => Promise.reject(new Error('The store is away')))
  const { guarded, revoked, unknown } = watched('a', check)
  guards.add(guarded)
  await eventually('many looks', () => check.mock.calls.length > 5)
  expect(unknown).not.toHaveBeenCalled()
  now = 100
  await eventually('the end of patience', () => unknown.mock.calls.length > 0)
  expect(revoked).not.toHaveBeenCalled()
})
