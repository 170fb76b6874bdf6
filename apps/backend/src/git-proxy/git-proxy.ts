import type { IncomingHttpHeaders } from 'node:http'
import { finished, pipeline, Readable } from 'node:stream'
import { BerthError, type PushPolicy, type SessionState, sessionBranch } from '@berth/contract'
import type { Standing } from '../auth/standing.ts'
import type { CredentialUse, GitCredentials, SignIn } from '../git-credentials/git-credentials.ts'
import type { Outbound } from '../outbound/outbound.ts'
import { backendActor } from '../session/deciders/draft.ts'
import { OpenCalls } from '../session/open-calls.ts'
import type { SessionService } from '../session/service.ts'
import type { RunnerIdentity, Store } from '../store/port.ts'
import { advertisedCommit } from './advertised.ts'
import type { GitHosts } from './git-hosts.ts'
import { type GitProxyLimits, standardLimits } from './git-limits.ts'
import { type GitRights, type GitService, judgeAccess, pushProblem } from './git-policy.ts'
import type { GitTarget } from './git-target.ts'
import { createGitUpstream, type GitUpstream } from './git-upstream.ts'
import { metered } from './metered.ts'
import { PushBook, type PushOf } from './push-book.ts'
import type { PushRequest } from './push-commands.ts'
import { type PushReport, reportReader } from './push-report.ts'
import { judgeRedirect } from './redirect.ts'
import { takePush } from './take-push.ts'
import { refusedBy, unreachable } from './upstream-problem.ts'

export interface GitProxyOptions {
  service: SessionService
  store: Store
  hosts: GitHosts
  outbound: Outbound
  credentials: GitCredentials
  standing: Pick<Standing, 'roleIn'>
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

interface Judged {
  rights: GitRights
  anyAddress: boolean
  policy: PushPolicy
  state: SessionState
  signIn: SignIn | undefined
}

/**
 * The way from a session to git servers. What the session may read and write is decided before anything is asked, and of a
 * push before anything of it is sent; then bytes are passed on as they come, within limits. The project's credential is added
 * to what is asked of its host, and never leaves here for anybody else.
 */
export class GitProxy {
  readonly #options: GitProxyOptions
  readonly #limits: GitProxyLimits
  readonly #upstream: GitUpstream
  readonly #open: OpenCalls
  readonly #book: PushBook

  constructor(options: GitProxyOptions) {
    this.#options = options
    this.#limits = { ...standardLimits, ...options.limits }
    this.#open = new OpenCalls(this.#limits.atOnce)
    this.#upstream = createGitUpstream(options.outbound, this.#limits)
    this.#book = new PushBook(options)
  }

  /** Answers git. Rejects with a BerthError whose message is for git to print. */
  async answer(call: GitCall): Promise<GitAnswer> {
    const leave = this.#open.enter(call.runner.session, busy)
    try {
      const answer = await this.#answer(call, await this.#judge(call))
      if (answer.body instanceof Readable) finished(answer.body, leave)
      else leave()
      return answer
    } catch (error) {
      leave()
      throw unreachable(call.target, error)
    }
  }

  /** What the session may do there, and how it signs in. */
  async #judge(call: GitCall): Promise<Judged> {
    const { service, store, hosts } = this.#options
    const { session, project: name } = call.runner
    const [state, project] = await Promise.all([service.state(session), store.projectSettings(name)])
    const { values } = service.settingsOf(project?.settings, state.settings)
    const { workflow, gitCredentials, pushPolicy: policy } = values
    const rights = { repositories: state.repositories, workflow: workflow?.url, hosts }
    const verdict = judgeAccess(call.target, call.service, rights)
    if (!verdict.allowed) {
      if (call.service === 'git-receive-pack')
        await this.#book.refused({ ...call, state }, { result: 'refused', reason: verdict.reason })
      throw new BerthError('git_refused', verdict.reason)
    }
    const use: CredentialUse = {
      ...{ project: name, session, actor: backendActor, target: call.target, credentials: gitCredentials },
      access: call.service === 'git-receive-pack' ? 'write' : 'read',
    }
    const signIn = await this.#options.credentials.signIn(use)
    return { rights, anyAddress: verdict.anyAddress, policy, state, signIn }
  }

  async #answer(call: GitCall, judged: Judged): Promise<GitAnswer> {
    const { body, service } = call
    const { idleMs, askBytes } = this.#limits
    if (body === undefined) return this.#pass(call, judged)
    if (service === 'git-receive-pack') return this.#push(call, judged, body)
    const bytes = metered(body, { maxBytes: askBytes, idleMs, what: 'a request to fetch' })
    return this.#pass(call, judged, bytes)
  }

  async #push(call: GitCall, judged: Judged, body: Readable): Promise<GitAnswer> {
    const { idleMs, pushBytes, commandBytes } = this.#limits
    if (call.headers['content-encoding'] !== undefined)
      throw new BerthError('git_refused', 'A push may not be compressed as a whole: git never does that.')
    const maxBytes = Math.min(pushBytes, judged.policy.maxMiB * 1024 ** 2)
    const bytes = metered(body, { maxBytes, idleMs, what: 'a push' })
    const taken = await takePush(bytes, {
      ...{ branch: sessionBranch(call.runner.session), commandBytes },
      judge: () => this.#roleProblem(judged),
    })
    const push = pushOf(call, judged, taken.push)
    if (taken.refused !== undefined) {
      await this.#book.refused(push, { result: 'refused', reason: taken.refused })
      if (taken.report === undefined)
        throw new BerthError('git_refused', `The push is refused: ${taken.refused}.`)
      const headers = { 'content-type': `application/x-${call.service}-result` }
      return { status: 200, headers, body: taken.report }
    }
    const answer = await this.#pass(call, judged, taken.bytes)
    const { ref, to } = push
    if (ref === undefined || to === undefined || !(answer.body instanceof Readable)) return answer
    const reader = reportReader(ref, (report) => this.#tell({ ...push, ref, to }, judged, report))
    // Whoever reads the answer learns of an error there.
    return { ...answer, body: pipeline(answer.body, reader, () => undefined) }
  }

  /** Why whoever stands behind a push may not push, or undefined. Asked of the store for each push. */
  async #roleProblem({ policy, state }: Judged): Promise<string | undefined> {
    const { id: session, project, owner } = state.summary
    const actor = (await this.#book.senderOf(state)).onBehalfOf ?? owner
    return pushProblem(policy.role, await this.#options.standing.roleIn(actor, { project, session }))
  }

  /** Asks the git server where the branch is, and tells what became of a push. */
  async #tell(push: PushOf & { ref: string; to: string }, judged: Judged, report: PushReport): Promise<void> {
    if (report.ok !== true) {
      const reason = report.reason ?? 'the git server did not say what became of it'
      return this.#book.refused(push, { result: report.ok === false ? 'refused' : 'failed', reason })
    }
    const found = await this.#lookUp(push, judged).catch(() => 'nobody knows where')
    if (found === push.to) return this.#book.pushed(push)
    const reason = `the git server reported success, but the branch is at ${found ?? 'no commit'}`
    await this.#book.refused(push, { result: 'failed', reason })
  }

  async #lookUp({ target, ref }: { target: GitTarget; ref: string }, judged: Judged) {
    const answer = await this.#upstream.refs(target, {
      ...judged,
      authorization: judged.signIn?.authorization,
    })
    if (answer.statusCode === 200)
      return advertisedCommit(answer.body, { ref, maxBytes: this.#limits.lookUpBytes })
    answer.body.on('error', () => undefined).destroy()
    throw refusedBy(target, answer.statusCode)
  }

  async #pass(call: GitCall, judged: Judged, body?: Readable): Promise<GitAnswer> {
    const { target, service } = call
    const { signIn, anyAddress } = judged
    const answer = await this.#upstream.ask(
      { ...call, body },
      { anyAddress, authorization: signIn?.authorization },
    )
    const { statusCode, headers } = answer
    const type = `application/x-${service}-${body === undefined ? 'advertisement' : 'result'}`
    if (statusCode !== 200 || headers['content-type'] !== type) {
      answer.body.on('error', () => undefined).destroy()
      if (statusCode >= 300 && statusCode < 400)
        return judgeRedirect(headers.location, { ...call, ...judged, isCall: body !== undefined })
      if (signIn !== undefined && (statusCode === 401 || statusCode === 403)) throw signIn.refused()
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
}

const pushOf = ({ runner, target }: GitCall, { state }: Judged, { commands }: PushRequest): PushOf => {
  const [command] = commands
  return { runner, state, target, ...command }
}

const busy = (open: number) =>
  new BerthError('git_busy', `${open} requests of git are under way in this session. Wait for some.`)
