import type { IncomingHttpHeaders } from 'node:http'
import { finished, Readable } from 'node:stream'
import { BerthError, sessionBranch } from '@berth/contract'
import type { Agent, Dispatcher } from 'undici'
import type { Outbound } from '../outbound/outbound.ts'
import { anyAddress, publicAddress } from '../outbound/private-hosts.ts'
import { OpenCalls } from '../session/open-calls.ts'
import { type SessionService, sessionSettingsOf } from '../session/service.ts'
import type { RunnerIdentity, Store } from '../store/port.ts'
import type { GitHosts } from './git-hosts.ts'
import { type GitProxyLimits, standardLimits } from './git-limits.ts'
import { type GitRights, type GitService, judgeAccess } from './git-policy.ts'
import type { GitTarget } from './git-target.ts'
import { metered } from './metered.ts'
import { judgeRedirect } from './redirect.ts'
import { takePush } from './take-push.ts'
import { upstreamHeaders } from './upstream-headers.ts'
import { refusedBy, unreachable } from './upstream-problem.ts'

export interface GitProxyOptions {
  service: SessionService
  store: Store
  hosts: GitHosts
  outbound: Outbound
  limits?: Partial<GitProxyLimits>
}

export interface GitCall {
  runner: RunnerIdentity
  service: GitService
  target: GitTarget
  headers: IncomingHttpHeaders
  /** Of a call; missing: the refs are asked for. */
  body?: Readable
  /** Aborts when whoever asked is gone. */
  gone: AbortSignal
}

export interface GitAnswer {
  status: 200 | 307
  headers: Record<string, string>
  body: Readable | Buffer
}

/**
 * The way from a session to git servers. What the session may read and write is decided before anything is asked, and of a
 * push before anything of it is sent; then bytes are passed on as they come, within limits.
 */
export class GitProxy {
  readonly #options: GitProxyOptions
  readonly #limits: GitProxyLimits
  /** To any address, and to public ones alone. */
  readonly #agents: { open: Agent; guarded: Agent }
  readonly #open: OpenCalls

  constructor(options: GitProxyOptions) {
    this.#options = options
    this.#limits = { ...standardLimits, ...options.limits }
    this.#open = new OpenCalls(this.#limits.atOnce)
    const { outbound } = options
    this.#agents = {
      open: outbound.agent({ ...this.#limits, reach: anyAddress }),
      guarded: outbound.agent({ ...this.#limits, reach: publicAddress }),
    }
  }

  /** Answers git. Rejects with a BerthError whose message is for git to print. */
  async answer(call: GitCall): Promise<GitAnswer> {
    const rights = await this.#rights(call.runner)
    const verdict = judgeAccess(call.target, call.service, rights)
    if (!verdict.allowed) throw new BerthError('git_refused', verdict.reason)
    const leave = this.#open.enter(call.runner.session, busy)
    try {
      const answer = await this.#answer(call, { rights, anyAddress: verdict.anyAddress })
      if (answer.body instanceof Readable) finished(answer.body, leave)
      else leave()
      return answer
    } catch (error) {
      leave()
      throw unreachable(call.target, error)
    }
  }

  async #rights({ session, project: name }: RunnerIdentity): Promise<GitRights> {
    const { service, store, hosts } = this.#options
    const [state, project] = await Promise.all([service.state(session), store.projectSettings(name)])
    const { workflow } = sessionSettingsOf(state.settings, project?.settings ?? {}).values
    return { repositories: state.repositories, workflow: workflow?.url, hosts }
  }

  async #answer(call: GitCall, judged: Judged): Promise<GitAnswer> {
    const { body, service, runner } = call
    const { idleMs, askBytes, pushBytes, commandBytes } = this.#limits
    if (body === undefined) return this.#pass(call, judged)
    if (service === 'git-upload-pack') {
      const bytes = metered(body, { maxBytes: askBytes, idleMs, what: 'a request to fetch' })
      return this.#pass(call, judged, bytes)
    }
    if (call.headers['content-encoding'] !== undefined)
      throw new BerthError('git_refused', 'A push may not be compressed as a whole: git never does that.')
    const bytes = metered(body, { maxBytes: pushBytes, idleMs, what: 'a push' })
    const push = await takePush(bytes, { branch: sessionBranch(runner.session), commandBytes })
    if (push.report === undefined) return this.#pass(call, judged, push.bytes)
    return { status: 200, headers: { 'content-type': `application/x-${service}-result` }, body: push.report }
  }

  async #pass(call: GitCall, judged: Judged, body?: Readable): Promise<GitAnswer> {
    const { target, service } = call
    const answer = await this.#ask(call, judged, body)
    const { statusCode, headers } = answer
    const type = `application/x-${service}-${body === undefined ? 'advertisement' : 'result'}`
    if (statusCode !== 200 || headers['content-type'] !== type) {
      answer.body.on('error', () => undefined).destroy()
      if (statusCode >= 300 && statusCode < 400)
        return judgeRedirect(headers.location, { ...call, ...judged, isCall: body !== undefined })
      throw refusedBy(target, statusCode)
    }
    const { answerBytes: maxBytes, idleMs } = this.#limits
    const bytes = metered(answer.body, { maxBytes, idleMs, what: 'an answer' })
    const encoding: Record<string, string> =
      headers['content-encoding'] === 'gzip' ? { 'content-encoding': 'gzip' } : {}
    return {
      status: 200,
      headers: { 'content-type': type, ...encoding },
      body: bytes,
    }
  }

  async #ask(
    { target, service, headers, gone }: GitCall,
    judged: Judged,
    body: Readable | undefined,
  ): Promise<Dispatcher.ResponseData> {
    const { scheme, host, port, path } = target
    const isCall = body !== undefined
    return this.#agents[judged.anyAddress ? 'open' : 'guarded'].request({
      origin: `${scheme}://${host}:${port}`,
      path: `${path}/${isCall ? service : `info/refs?service=${service}`}`,
      method: isCall ? 'POST' : 'GET',
      headers: upstreamHeaders(headers, { service, isCall }),
      body: body ?? null,
      signal: AbortSignal.any([gone, AbortSignal.timeout(this.#limits.totalMs)]),
    })
  }
}

interface Judged {
  rights: GitRights
  anyAddress: boolean
}

const busy = (open: number) =>
  new BerthError('git_busy', `${open} requests of git are under way in this session. Wait for some.`)
