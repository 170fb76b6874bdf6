import type { ModelProviderSetting } from '@berth/contract'
import { expect, it } from 'vitest'
import { withServer } from '../../test-backend.ts'
import { withOutbound } from './fakes/ask.ts'
import { Providers } from './providers.ts'
import { tryProvider } from './try-provider.ts'

const actor = { kind: 'user', id: 'ada' } as const

const withProviders = (
  test: (parts: { providers: Providers; url: string; uses: string[] }) => Promise<void>,
) =>
  withServer(
    (request, response) => {
      const key = String(request.headers['x-api-key'])
      if (key !== 'CANARY-good')
        return void response
          .writeHead(401)
          .end(JSON.stringify({ error: { message: `The key ${key} is unknown.` } }))
      response.writeHead(200, { 'content-type': 'application/json' })
      const list = { data: [{ id: 'claude-a' }, { id: 'claude-b' }] }
      response.end(JSON.stringify(request.url?.startsWith('/v1/models') ? list : { model: 'claude-a-1' }))
    },
    (url) =>
      withOutbound((outbound) => {
        const uses: string[] = []
        const providers = new Providers({
          source: { kind: async () => 'scripted', upstream: async () => undefined },
          secret: async ({ name, actor: { id } }) => {
            uses.push(`${name} ${id}`)
            if (name === 'gone') throw new Error('There is no secret gone.')
            return `CANARY-${name}`
          },
          outbound,
          platformKeyProjects: 'all',
          now: () => Date.now(),
        })
        return test({ providers, url, uses })
      }),
  )

it('[P187] says of each key whether it works and what to do, and never what it is', () =>
  withProviders(async ({ providers, url, uses }) => {
    const keys = ['good', 'bad', 'gone']
    const setting: ModelProviderSetting = { kind: 'anthropic', url, header: 'x-api-key', keys }
    const trial = { project: 'web', setting, model: 'claude-a', actor, now: () => 5 }
    const result = await tryProvider(providers, trial)
    expect(result).toMatchObject({
      provider: 'anthropic',
      asked: 'claude-a',
      ok: false,
      keys: [
        { name: 'good', ok: true, model: 'claude-a-1', status: 200, latencyMs: 0 },
        { name: 'bad', ok: false, status: 401, message: 'The key [key] is unknown.' },
        { name: 'gone', ok: false, status: 0, message: 'There is no secret gone.' },
      ],
      models: ['claude-a', 'claude-b'],
    })
    expect(result?.keys[1]?.advice).toContain('check that bad holds it whole')
    expect(JSON.stringify(result)).not.toContain('CANARY')
    expect(new Set(uses)).toEqual(new Set(['good ada', 'bad ada', 'gone ada']))
  }))

it('tries the platform’s key where a project has none, and says when there is none at all', () =>
  withProviders(async ({ providers }) => {
    const trial = { project: 'web', setting: undefined, model: 'claude-a', actor, now: () => 5 }
    expect(await tryProvider(providers, trial)).toBeUndefined()
  }))
