import type { RequestListener } from 'node:http'
import { BerthError } from '@berth/contract'
import { expect, it } from 'vitest'
import { withServer } from '../../test-backend.ts'
import { type AnthropicOptions, AnthropicProvider } from './anthropic.ts'
import { ask, messages, withOutbound } from './fakes/ask.ts'
import { KeyRest } from './key-rest.ts'

interface World {
  ask: () => ReturnType<typeof ask>
  provider: () => AnthropicProvider
  /** Keys that the server saw, in their order, since the last look. */
  seen: () => string[]
  later: (ms: number) => void
}

/** Keys `k1`, `k2`, … whose answers are the statuses that stand for them now. */
const withKeys = (
  statuses: Record<string, number>,
  test: (world: World) => Promise<void>,
  more: Partial<AnthropicOptions> & { headers?: Record<string, string> } = {},
) => {
  let seen: string[] = []
  const handler: RequestListener = (request, response) => {
    const key = String(request.headers['x-api-key'] ?? request.headers.authorization)
    seen.push(key)
    const status = statuses[key.replace('Bearer ', '')] ?? 500
    response.writeHead(status, { 'content-type': 'application/json', ...more.headers })
    response.end(JSON.stringify({ from: key }))
  }
  return withServer(handler, (url) =>
    withOutbound((outbound) => {
      let now = 1_000_000
      const rest = new KeyRest()
      const agent = outbound.agent({ headersMs: 0, idleMs: 0 })
      const keys = Object.keys(statuses).map((name) => ({ id: `p/${name}`, value: async () => name }))
      const provider = () =>
        new AnthropicProvider({ url, header: 'x-api-key', keys, rest, agent, now: () => now, ...more })
      return test({
        provider,
        ask: () => ask(provider(), messages({ model: 'm' })),
        seen: () => {
          const all = seen
          seen = []
          return all
        },
        later: (ms) => {
          now += ms
        },
      })
    }),
  )
}

it('[P182] uses keys in order; one that is refused or at its limit rests, and the next one is used', async () => {
  const statuses: Record<string, number> = { k1: 200, k2: 200, k3: 200 }
  await withKeys(statuses, async ({ ask, seen, later }) => {
    expect((await ask()).status).toBe(200)
    expect(seen()).toEqual(['k1'])
    Object.assign(statuses, { k1: 401, k2: 429 })
    expect((await ask()).json()).toEqual({ from: 'k3' })
    expect(seen()).toEqual(['k1', 'k2', 'k3'])
    expect((await ask()).status).toBe(200)
    expect(seen()).toEqual(['k3'])
    Object.assign(statuses, { k1: 200 })
    later(61_000)
    expect((await ask()).json()).toEqual({ from: 'k1' })
    expect(seen()).toEqual(['k1'])
  })
})

it('passes on what the last key was told when all are refused, and tries those first that rest least', async () => {
  const statuses: Record<string, number> = { k1: 429, k2: 403 }
  await withKeys(statuses, async ({ ask, seen, later }) => {
    expect((await ask()).status).toBe(403)
    later(1000)
    expect((await ask()).status).toBe(403)
    expect(seen()).toEqual(['k1', 'k2', 'k1', 'k2'])
  })
})

it('rests as long as the provider asks for, up to five minutes', async () => {
  const statuses: Record<string, number> = { k1: 429, k2: 200 }
  await withKeys(
    statuses,
    async ({ ask, seen, later }) => {
      await ask()
      later(290_000)
      await ask()
      later(11_000)
      await ask()
      expect(seen()).toEqual(['k1', 'k2', 'k2', 'k1', 'k2'])
    },
    { headers: { 'retry-after': '100000' } },
  )
})

it('tries no other key for what no key can change', async () => {
  for (const status of [400, 404, 500, 529])
    await withKeys({ k1: status, k2: 200 }, async ({ ask, seen }) => {
      expect((await ask()).status).toBe(status)
      expect(seen()).toEqual(['k1'])
    })
})

it('goes on with the next key when one can’t be read, and says so when none can', async () => {
  const gone = async (): Promise<string> => {
    throw new BerthError('invalid_input', 'There is no such secret.')
  }
  const keys = [
    { id: 'gone', value: gone },
    { id: 'k1', value: async () => 'k1' },
  ]
  await withKeys({ k1: 200 }, async ({ ask }) => expect((await ask()).status).toBe(200), { keys })
  await withKeys({}, async ({ ask }) => expect(ask()).rejects.toThrow('no such secret'), {
    keys: [{ id: 'gone', value: gone }],
  })
})

it('sends a key as the project says, and remembers what must not be told', () =>
  withKeys(
    { k1: 200 },
    async ({ provider }) => {
      const one = provider()
      expect((await ask(one, messages({ model: 'm' }))).json()).toEqual({ from: 'Bearer k1' })
      expect([...one.hidden]).toEqual(['k1'])
    },
    { header: 'bearer' },
  ))
