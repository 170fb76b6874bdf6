import { expect, it } from 'vitest'
import type { Notice } from '../port.ts'
import type { Connection, Connections } from './connections.ts'
import { Teller } from './teller.ts'

const notice = (project: string, revision: number): Notice => ({
  session: `ses_${revision}`,
  project,
  seq: 1,
  change: { revision },
})

/** Transactions whose COMMITs are answered when the test says so. */
const createCommits = () => {
  const commits: { answer: () => void; fail: (error: Error) => void }[] = []
  const connections: Pick<Connections, 'transact'> = {
    transact: async (work) => {
      const value = await work({} as Connection)
      await new Promise<void>((answer, fail) => commits.push({ answer, fail }))
      return value
    },
  }
  return { connections, commits }
}

const settle = () => new Promise((resolve) => setImmediate(resolve))

it('tells of a list in the order of its revisions, whichever COMMIT is answered first, and of others at once', async () => {
  const { connections, commits } = createCommits()
  const told: string[] = []
  const teller = new Teller(connections, (notices) => {
    for (const { project, change } of notices) told.push(`${project} ${change?.revision}`)
  })
  const run = (...notices: Notice[]) => teller.transact(async () => ({ value: notices.length, notices }))
  const runs = [
    run(notice('p', 1)),
    run(notice('p', 2), notice('q', 1)),
    run(notice('p', 3)),
    run(notice('r', 1)),
  ]
  await settle()
  for (const index of [3, 2, 1]) commits[index]?.answer()
  await settle()
  expect(told).toEqual(['r 1'])
  commits[0]?.answer()
  expect(await Promise.all(runs)).toEqual([1, 2, 1, 1])
  expect(told).toEqual(['r 1', 'p 1', 'p 2', 'q 1', 'p 3'])
})

it('does not wait for a transaction that failed', async () => {
  const { connections, commits } = createCommits()
  const told: unknown[] = []
  const teller = new Teller(connections, (notices) => told.push(...notices))
  const run = (revision: number) =>
    teller.transact(async () => ({ value: revision, notices: [notice('p', revision)] }))
  const lost = run(1)
  const kept = run(1)
  await settle()
  commits[1]?.answer()
  commits[0]?.fail(new Error('cut'))
  await expect(lost).rejects.toThrow('cut')
  expect(await kept).toBe(1)
  expect(told).toEqual([notice('p', 1)])
})
