import { createManualClock } from '@berth/testing'
import { describe, expect, it } from 'vitest'
import { backendActor } from './session/decide.ts'
import type { Notice, Store } from './store/port.ts'
import {
  createTestBackend,
  eventually,
  ownerToken,
  ready,
  someId,
  type TestBackend,
  withBackend,
} from './test-backend.ts'

const sessions = '/api/projects/default/sessions'

/** The store as another backend sees it: its notices have no content, or never come. */
const seenElsewhere = (store: Store, notices: 'bare' | 'lost'): Store => {
  const seen: Partial<Store> = {
    kind: 'postgres',
    watch: (listener) =>
      store.watch((notice) => {
        if (notices === 'bare') listener(bare(notice))
      }),
    close: async () => undefined,
  }
  return new Proxy(store, {
    get: (target, name: keyof Store) => {
      const value = seen[name] ?? target[name]
      return typeof value === 'function' && !(name in seen) ? value.bind(target) : value
    },
  })
}

const bare = ({ session, project, seq, change }: Notice): Notice => {
  const revision = change && ('removed' in change ? change : { revision: change.revision })
  return { session, project, seq, change: revision }
}

/** Two backends over one store, of which the second hears of the first as it is told; and a clock for both. */
const withTwo = (
  notices: 'bare' | 'lost',
  test: (backends: {
    a: TestBackend
    b: TestBackend
    clock: ReturnType<typeof createManualClock>
  }) => Promise<void>,
) => {
  const clock = createManualClock(Date.now())
  return withBackend(
    async (a) => {
      const { store, blobs, keys } = a.parts
      const shared = { store: seenElsewhere(store, notices), blobs, keys, clock, drainMs: 300 }
      const b = await createTestBackend({ ...shared, runtime: a.runtime.reopen() })
      try {
        await test({ a, b, clock })
      } finally {
        await b.dispose()
      }
    },
    { clock, drainMs: 300 },
  )
}

/** What a stream has brought. */
const read = async ({ url }: TestBackend, path: string) => {
  const answer = await fetch(`${url}${path}`, {
    headers: { authorization: `Bearer ${ownerToken}`, accept: 'text/event-stream' },
  })
  const stream = { text: '', ended: Promise.resolve() }
  const decoder = new TextDecoder()
  stream.ended = (async () => {
    for await (const chunk of answer.body ?? []) stream.text += decoder.decode(chunk, { stream: true })
  })()
  return stream
}

describe.each(['bare', 'lost'] as const)(
  'two backends over one store, with notices that are %s',
  (notices) => {
    it('[P94] show each other’s events, changes and ends to those who read', () =>
      withTwo(notices, async ({ a, b, clock }) => {
        const { session, spec } = await a.idleSession()
        const log = await read(b, `${sessions}/${session}/events`)
        const list = await read(b, '/api/projects/default/changes')
        await a.call(`${sessions}/${session}/prompts`, { body: { content: 'PROMPT' } })
        await a.facts(spec, ready.length + 1, { type: 'agent.status', data: { status: 'STATUS' } })
        await eventually('both events', async () => {
          await clock.advance(1000)
          return log.text.includes('PROMPT') && log.text.includes('STATUS') && list.text.includes('"working"')
        })
        const ids = [...log.text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id))
        expect(ids).toEqual(ids.map((_, index) => index + 1))

        const other = await a.session()
        const purged = await read(b, `${sessions}/${other.id}/events`)
        await a.call(`${sessions}/${other.id}`, { method: 'DELETE' })
        await a.parts.store.purge(other.id, clock.now())
        await eventually('the purge', async () => {
          await clock.advance(1000)
          return purged.text.includes('session_not_found')
        })
        await purged.ended
      }))
  },
)

describe('a backend that is gone', () => {
  it('[P96] holds its sessions for no longer than its leases', () =>
    withTwo('lost', async ({ a, b, clock }) => {
      const session = someId('session')
      await a.parts.store.lease(`session:${session}`, 'gone', 10)
      await a.parts.store.lease('admission', 'gone', 10)
      await a.parts.store.append({
        ...{ session, turn: someId('turn'), now: clock.now() },
        command: {
          kind: 'create',
          actor: { kind: 'user', id: 'ada' },
          ...{ session, project: 'default', title: 'T', labels: {}, repositories: [], settings: {} },
          model: 'scripted',
        },
      })
      await eventually('a runner', async () => {
        await clock.advance(1000)
        return [...a.runtime.starts, ...b.runtime.starts].some((spec) => spec.session === session)
      })
    }))

  it('leaves no session without its runner that it had launched and not started', () =>
    withTwo('lost', async ({ a, clock }) => {
      const launched = await a.session()
      await a.spec(launched.id)
      await a.call(`${sessions}/${launched.id}/stop`, { method: 'POST' })
      await eventually('its end', async () => {
        await clock.advance(100)
        return (await a.summary(launched.id)).status.phase === 'stopped'
      })
      const append = { session: launched.id, turn: someId('turn'), now: clock.now() }
      await a.parts.store.append({ ...append, command: { kind: 'resume', actor: backendActor } })
      const { state } = await a.parts.store.append({
        ...append,
        command: { kind: 'launch', actor: backendActor, runtime: 'fake' },
      })
      await eventually('its runner', async () => {
        await clock.advance(1000)
        return a.runtime.starts.some(
          (spec) => spec.session === launched.id && spec.generation === state.summary.generation,
        )
      })
      expect((await a.summary(launched.id)).generation).toBe(state.summary.generation)
    }))
})
