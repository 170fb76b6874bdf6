import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import type { Outbound } from '../outbound/outbound.ts'
import { anyAddress as any, publicAddress } from '../outbound/private-hosts.ts'
import type { GitProxyLimits } from './git-limits.ts'
import type { GitService } from './git-policy.ts'
import type { GitTarget } from './git-target.ts'
import { upstreamHeaders } from './upstream-headers.ts'

export interface UpstreamAsk {
  target: GitTarget
  service: GitService
  headers: IncomingHttpHeaders
  body: Readable | undefined
  gone: AbortSignal
}

export interface UpstreamWay {
  /** The operator names the host: it may have any address. */
  anyAddress: boolean
  /** The project's, for this server. */
  authorization: string | undefined
}

/** The connections to git servers. Follows no redirect. */
export interface GitUpstream {
  ask(ask: UpstreamAsk, way: UpstreamWay): Promise<Dispatcher.ResponseData>
  /** What branches there are, by the first version of the protocol, within half a minute. */
  refs(target: GitTarget, way: UpstreamWay): Promise<Dispatcher.ResponseData>
}

const lookUpMs = 30_000

export const createGitUpstream = (outbound: Outbound, limits: GitProxyLimits): GitUpstream => {
  const open = outbound.agent({ ...limits, reach: any })
  const guarded = outbound.agent({ ...limits, reach: publicAddress })
  const ask: GitUpstream['ask'] = (
    { target, service, headers, body, gone },
    { anyAddress, authorization },
  ) => {
    const { scheme, host, port, path } = target
    const isCall = body !== undefined
    return (anyAddress ? open : guarded).request({
      origin: `${scheme}://${host}:${port}`,
      path: `${path}/${isCall ? service : `info/refs?service=${service}`}`,
      method: isCall ? 'POST' : 'GET',
      headers: upstreamHeaders(headers, { service, isCall, authorization }),
      body: body ?? null,
      signal: AbortSignal.any([gone, AbortSignal.timeout(limits.totalMs)]),
    })
  }
  return {
    ask,
    refs: (target, way) =>
      // The receiving side: what it advertises is not compressed.
      ask(
        {
          ...{ target, headers: {}, body: undefined },
          service: 'git-receive-pack',
          gone: AbortSignal.timeout(lookUpMs),
        },
        way,
      ),
  }
}
