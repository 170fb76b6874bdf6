import { randomBytes } from 'node:crypto'
import { type Actor, makeId } from '@berth/contract'
import { seedProject } from '../../apps/backend/src/backend.ts'
import type { Store } from '../../apps/backend/src/store/port.ts'

const actor: Actor = { kind: 'user', id: 'owner', name: 'Bench' }

/** Stores sessions in the project `default`, stopped, each with a prompt. Gives their ids, newest last. */
export const seed = async (store: Store, count: number): Promise<string[]> => {
  await seedProject(store, Date.now())
  const ids: string[] = []
  const now = Date.now() - count
  for (let from = 0; from < count; from += 500) {
    const batch = Array.from({ length: Math.min(500, count - from) }, (_, i) => now + from + i)
    await Promise.all(
      batch.map(async (at) => {
        const session = makeId('session', at, randomBytes(10))
        ids.push(session)
        const append = { session, turn: makeId('turn', at, randomBytes(10)), now: at }
        await store.append({
          ...append,
          command: {
            kind: 'create',
            actor,
            session,
            project: 'default',
            title: `Repair the flaky test number ${at % 1000}`,
            labels: { team: `team-${at % 7}` },
            repositories: [{ url: 'https://git.example.com/team/service.git', branch: 'main' }],
            settings: {},
            model: 'scripted',
            prompt: {
              prompt: makeId('prompt', at, randomBytes(10)),
              content: [{ type: 'text', text: 'The test fails now and then. Find out why, and repair it.' }],
            },
          },
        })
        await store.append({ ...append, command: { kind: 'stop', actor, reason: 'user' } })
      }),
    )
  }
  return ids.sort()
}
