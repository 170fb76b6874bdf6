import { finished, type Readable } from 'node:stream'
import {
  type Actor,
  BerthError,
  type EgressAnswerHead,
  type EgressRequestHead,
  type EgressRule,
  limits,
  preview,
} from '@berth/contract'
import type { Agent, Dispatcher } from 'undici'
import { metered } from '../git-proxy/metered.ts'
import type { Outbound } from '../outbound/outbound.ts'
import { OpenCalls } from '../session/open-calls.ts'
import type { SessionService } from '../session/service.ts'
import type { RunnerIdentity, Store } from '../store/port.ts'
import { answerHeaders, isHeaderValue, requestHeaders } from './egress-headers.ts'
import { type EgressLimits, standardLimits } from './egress-limits.ts'
import { EgressRefusal, unreachable } from './egress-problem.ts'
import { judgeEgress } from './egress-rules.ts'
import { type EgressTarget, readTarget } from './egress-target.ts'
import { Refusals } from './refusals.ts'
import { searched } from './searched-answer.ts'

/** Fills references to a project's secrets in. */
export interface FillSecrets {
  fill(text: string, use: { project: string; use: string; session?: string; actor: Actor }): Promise<string>
}

export interface EgressBrokerOptions {
  service: SessionService
  store: Store
  secrets: FillSecrets
  outbound: Pick<Outbound, 'agent'>
  now: () => number
  limits?: Partial<EgressLimits>
}

export interface EgressCall {
  runner: RunnerIdentity
  head: EgressRequestHead
  body: Readable
  /** Aborts when whoever asked is gone. */
  gone: AbortSignal
}

export interface EgressAnswer {
  head: EgressAnswerHead
  body: Readable
}

/**
 * The way from a session to the hosts that its project allows. What a program sent is judged by the project's rules of this
 * moment, then asked anew from parts that are known to be good; neither redirects nor anything else is followed.
 */
export class EgressBroker {
  readonly #options: EgressBrokerOptions
  readonly #limits: EgressLimits
  readonly #agent: Agent
  readonly #open: OpenCalls
  readonly #refusals: Refusals

  constructor(options: EgressBrokerOptions) {
    this.#options = options
    this.#limits = { ...standardLimits, ...options.limits }
    this.#agent = options.outbound.agent(this.#limits)
    this.#open = new OpenCalls(this.#limits.atOnce)
    this.#refusals = new Refusals(options)
  }

  /** Asks. Rejects with a BerthError whose message is for the agent; a refusal was told to the session by then. */
  async answer(call: EgressCall): Promise<EgressAnswer> {
    const target = readTarget(call.head)
    try {
      if (target === undefined) throw new EgressRefusal('form', 'This is no address that is passed on.')
      const rule = await this.#judge(call, target)
      const leave = this.#open.enter(call.runner.session, busy)
      try {
        const answer = await this.#ask(call, target, rule)
        finished(answer.body, leave)
        return answer
      } catch (error) {
        leave()
        throw unreachable(target, error)
      }
    } catch (error) {
      if (error instanceof EgressRefusal) await this.#tell(call, target, error)
      throw error
    }
  }

  async #judge({ runner, head }: EgressCall, target: EgressTarget): Promise<EgressRule> {
    const { service, store } = this.#options
    const [state, project] = await Promise.all([
      service.state(runner.session),
      store.projectSettings(runner.project),
    ])
    const { egress } = service.settingsOf(project?.settings, state.settings).values
    const verdict = judgeEgress(target, head.method, { rules: egress, project: runner.project })
    if (!verdict.allowed) throw new EgressRefusal(verdict.why, verdict.message)
    return verdict.rule
  }

  async #ask(
    { runner, head, body, gone }: EgressCall,
    target: EgressTarget,
    rule: EgressRule,
  ): Promise<EgressAnswer> {
    const { added, hidden } = await this.#fill(runner, target, rule)
    const headers = requestHeaders(head.headers, added)
    if (headers === undefined)
      throw new EgressRefusal('form', 'The headers have a form that is not passed on.')
    if (head.length !== undefined) headers.push(...lengthOf(head))
    const { requestBytes, answerBytes, idleMs, totalMs } = this.#limits
    if ((head.length ?? 0) > requestBytes)
      throw new BerthError('too_large', `A request may have at most ${requestBytes} bytes.`)
    const answer = await this.#agent.request({
      origin: `${target.scheme}://${target.host}:${target.port}`,
      path: target.path,
      method: head.method as Dispatcher.HttpMethod,
      headers,
      body: head.length === 0 ? null : metered(body, { maxBytes: requestBytes, idleMs, what: 'a request' }),
      signal: AbortSignal.any([gone, AbortSignal.timeout(totalMs)]),
    })
    const received = hidden.length === 0 ? answer.body : searchedAnswer(answer, hidden)
    return {
      head: { status: answer.statusCode, headers: answerHeaders(answer.headers, { hidden }) },
      body: metered(received, { maxBytes: answerBytes, idleMs, what: 'an answer' }),
    }
  }

  /** The headers that the rule adds, and what of them the agent must not see. */
  async #fill(runner: RunnerIdentity, { host }: EgressTarget, { headers = {} }: EgressRule) {
    const { project, session } = runner
    const actor: Actor = { kind: 'runner', id: session }
    const fill = (text: string) =>
      this.#options.secrets.fill(text, { project, session, actor, use: `egress ${host}` })
    const added: Record<string, string> = {}
    const hidden: string[] = []
    for (const [name, text] of Object.entries(headers)) {
      const value = await fill(text)
      if (!isHeaderValue(value))
        throw new BerthError(
          'egress_failed',
          `The secret for the header ${name} has characters that no header may have.`,
        )
      added[name] = value
      const references = text.match(/\$\{secret:[^}]*\}/g) ?? []
      if (references.length > 0) hidden.push(value, ...(await Promise.all(references.map(fill))))
    }
    return { added, hidden: [...new Set(hidden)] }
  }

  #tell(
    { runner, head }: EgressCall,
    target: EgressTarget | undefined,
    { why, message }: EgressRefusal,
  ): Promise<void> {
    const { scheme, method, authority } = head
    const { host, port, readings } = target ?? {
      host: preview(authority, 260),
      port: 0,
      readings: { sent: '' },
    }
    const refused = { scheme, host, port, method: preview(method, 20), path: readings.sent, why, message }
    return this.#refusals.tell(runner, { ...refused, message: preview(message, limits.message) })
  }
}

const searchedAnswer = ({ body, headers }: Dispatcher.ResponseData, hidden: readonly string[]): Readable => {
  const encoding = [headers['content-encoding'] ?? ''].flat().join(',')
  try {
    return searched(body, encoding, hidden)
  } catch (error) {
    body.on('error', () => undefined).destroy()
    throw error
  }
}

/** Methods that have no body say nothing of its length. */
const lengthOf = ({ method, length }: EgressRequestHead): string[] =>
  length === 0 && ['GET', 'HEAD', 'DELETE', 'OPTIONS'].includes(method)
    ? []
    : ['content-length', String(length)]

const busy = (open: number) =>
  new BerthError('egress_busy', `${open} requests of this session are under way. Wait for some.`)
