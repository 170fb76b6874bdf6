import { platformSettings, type Settings } from '@berth/contract'
import { expect, it } from 'vitest'
import type { Config } from '../config.ts'
import { surroundingsFor } from './git-surroundings.ts'

const config = {
  git: 'direct',
  path: '/bin',
  home: '/srv/ada',
  backendUrl: 'http://b',
  token: 't',
} as Config

const proxyOf = async (url: string, own: Partial<Settings>, git: Config['git'] = 'direct') => {
  const home = { settings: async () => ({ settings: { ...platformSettings, ...own } }) }
  return (await surroundingsFor({ ...config, git }, home as never, {})(url)).proxy
}
const gitCredentials: Settings['gitCredentials'] = [
  { kind: 'gitlab', host: 'git.example', path: 'team/', secret: 's' },
]
const proxy = { url: 'http://b/runner/git', token: 't' }

it('[P196] reaches a host whose credential only the backend knows through the backend', async () => {
  expect(await proxyOf('https://git.example/team/app', { gitCredentials })).toEqual(proxy)
  // A submodule beside it, say: the host counts.
  expect(await proxyOf('https://git.example/other', { gitCredentials })).toEqual(proxy)
  for (const url of ['https://other.example/x', 'git@git.example:team/app', '/srv/team/app'])
    expect(await proxyOf(url, { gitCredentials })).toBeUndefined()
  expect(await proxyOf('https://git.example/team/app', {})).toBeUndefined()
  expect(await proxyOf('https://other.example/x', {}, 'proxy')).toEqual(proxy)
})
