import type { ModelProviderSetting } from '@berth/contract'
import { expect, it } from 'vitest'
import { withServer } from '../../test-backend.ts'
import { ask, messages, withOutbound } from './fakes/ask.ts'
import { Providers, type ProvidersOptions } from './providers.ts'

const setting: ModelProviderSetting = {
  kind: 'anthropic',
  url: 'http://127.0.0.1:9',
  header: 'x-api-key',
  keys: ['k'],
}

const withProviders = (
  test: (providers: Providers, url: string) => Promise<void>,
  more: Partial<ProvidersOptions> = {},
) =>
  withServer(
    (request, response) => response.end(String(request.headers['x-api-key'])),
    (url) =>
      withOutbound((outbound) =>
        test(
          new Providers({
            source: { kind: async () => 'live', upstream: async (kind) => ({ baseUrl: url, apiKey: kind }) },
            secret: async ({ project, name }) => `${name} of ${project}`,
            outbound,
            platformKeyProjects: ['web'],
            now: () => Date.now(),
            ...more,
          }),
          url,
        ),
      ),
  )

it('make a project with a provider of its own live, and others by what the platform has and allows', () =>
  withProviders(async (providers) => {
    const kinds = [
      await providers.kindOf('web', undefined),
      await providers.kindOf('other', undefined),
      await providers.kindOf('other', setting),
    ]
    expect(kinds).toEqual(['live', 'scripted', 'live'])
  }))

it('never ask with a key of the platform for a project that may not use it', () =>
  withProviders(async (providers, url) => {
    const keyOf = async (kind: 'live' | 'scripted', project: string, own?: ModelProviderSetting) => {
      const provider = await providers.of(kind, { project, setting: own })
      return provider && (await ask(provider, messages({ model: 'm' }))).text
    }
    expect(await keyOf('live', 'web')).toBe('live')
    expect(await keyOf('live', 'other')).toBeUndefined()
    expect(await keyOf('live', 'other', { ...setting, url })).toBe('k of other')
    expect(await keyOf('live', 'web', { ...setting, url })).toBe('k of web')
    expect(await keyOf('scripted', 'other', { ...setting, url })).toBe('scripted')
  }))
