import type { ProjectQueue } from '@berth/contract'
import { expect, it } from 'vitest'
import { plain } from '../terminal/style.ts'
import { renderQueue } from './queue.ts'

const now = Date.parse('2026-01-02T00:00:00.000Z')
const view = { width: 120, style: plain, now }
const capacity: ProjectQueue['capacity'] = {
  sessions: { used: 8, limit: 8 },
  project: { used: 2 },
  memoryBytes: { used: 1024 ** 3 },
}

it('shows place, session, time and reason, and how much room there is', () => {
  const item = {
    session: 'ses_01m855ymq0fmba5kdj51nnmvf3',
    title: 'Fix \u001b[2Jit',
    owner: { kind: 'user', id: 'ann', name: 'Ann' },
    position: 3,
    reason: 'memory',
    since: '2026-01-01T23:00:00.000Z',
  } as const
  const text = renderQueue({ items: [item], waiting: 4, capacity }, view)
  expect(text).toMatch(/3 +nnmvf3 +Fix ␛\[2Jit +1 h +Ann +too little memory is free/)
  expect(text).toContain('and 3 more')
  expect(text).toContain('8 of 8 sessions live, 2 in this project; 1.0 GB of memory are in use')
})

it('tells what is given of the project’s quotas', () => {
  const quotas = { projectMemoryMiB: { used: 2000, limit: 3000 }, projectCpus: { used: 1.5, limit: 8 } }
  const text = renderQueue({ items: [], waiting: 0, capacity: { ...capacity, ...quotas } }, view)
  expect(text).toContain('of the project’s quotas, 2000 of 3000 MiB of memory and 1.5 of 8 cores are given')
})

it('says that nobody waits', () => {
  expect(renderQueue({ items: [], waiting: 0, capacity }, view)).toMatch(/^No session waits for room\./)
})
