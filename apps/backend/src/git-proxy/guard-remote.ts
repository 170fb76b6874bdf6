import { lookup } from 'node:dns/promises'
import type { RemoteGuard } from '@berth/git'
import { checkLiteral } from '../outbound/guarded-connector.ts'
import { plainHost, publicAddress } from '../outbound/private-hosts.ts'
import { isPublicAddress } from '../outbound/public-address.ts'
import type { GitHosts } from './git-hosts.ts'
import { placeOf, targetOf } from './git-target.ts'

type Resolve = (host: string) => Promise<{ address: string }[]>

/**
 * Holds the backend's own git to what the git proxy may reach: https, at addresses that were looked at, and no redirect
 * elsewhere. For backends whose users are not their operators.
 */
export const createRemoteGuard =
  (hosts: GitHosts, resolve: Resolve = (host) => lookup(host, { all: true })): RemoteGuard =>
  async (url) => {
    const target = targetOf(url)
    if (target === undefined) return { problem: 'git servers are reached by https:// alone here.' }
    if (hosts.names(target)) return { config: [] }
    const place = placeOf(target)
    const ask = `have the operator add ${place} to BERTH_GIT_HOSTS.`
    if (target.scheme === 'http')
      return { problem: `it would be asked without encryption. Use https, or ${ask}` }
    const hidden = { problem: `${target.host} has no public address: ${ask}` }
    try {
      checkLiteral({ host: plainHost(target.host), port: target.port }, publicAddress)
    } catch {
      return hidden
    }
    const found = await resolve(target.host.replace(/^\[|\]$/g, '')).catch(() => [])
    if (found.length === 0) return { problem: `the name ${target.host} is unknown.` }
    if (!found.every(({ address }) => isPublicAddress(address))) return hidden
    const addresses = found.map(({ address }) => (address.includes(':') ? `[${address}]` : address))
    return {
      config: [
        ['http.followRedirects', 'false'],
        ['http.curloptResolve', `${target.host}:${target.port}:${addresses.join()}`],
      ],
    }
  }
