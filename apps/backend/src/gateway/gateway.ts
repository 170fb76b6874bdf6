import type { IncomingMessage, ServerResponse } from 'node:http'
import { isBerthError, type SessionState } from '@berth/contract'
import { parseJson } from '../parse-json.ts'
import { budgetsOf } from '../session/budget.ts'
import { payerOf, type ReadSpending, readSpending } from '../session/read-spending.ts'
import { checkModel, type SessionService } from '../session/service.ts'
import type { RunnerIdentity, Store } from '../store/port.ts'
import { type AccountOptions, Accounts } from './accounts.ts'
import { checkBudget } from './budget-gate.ts'
import { type AskedEndpoint, endpointOf } from './endpoints.ts'
import type { Exchange } from './exchange.ts'
import { requestHeaders } from './headers.ts'
import { Ledger, soon } from './ledger.ts'
import type { ModelRequest } from './providers/provider.ts'
import type { Providers } from './providers/providers.ts'
import { type Refusal, refuse } from './refuse.ts'
import { Relay } from './relay.ts'

/** The largest request body. */
export const maxRequestBytes = 32 * 1024 * 1024

export interface GatewayOptions extends AccountOptions {
  providers: Pick<Providers, 'of'>
  service: SessionService
  store: Store
}

export interface GatewayRequest {
  runner: RunnerIdentity
  request: IncomingMessage
  response: ServerResponse
  /** Path and query below the gateway's own. */
  path: string
  body: Buffer | undefined
  turn: string | undefined
}

/**
 * The way from a session to its model: checks endpoint, model and budgets, lets the project's provider put its key in, passes
 * the answer through as it comes, and meters it into the session's log. What the upstream refuses is passed on as it is.
 */
export class Gateway {
  readonly #options: GatewayOptions
  readonly #ledger: Ledger
  readonly #relay: Relay
  readonly #calls = new Set<Promise<void>>()
  readonly #closing = new AbortController()

  constructor(options: GatewayOptions) {
    this.#options = options
    this.#ledger = new Ledger(options)
    this.#relay = new Relay(new Accounts(options, this.#ledger), this.#ledger)
  }

  /** Answers the call. Never rejects: what goes wrong here is told to the agent as an answer. */
  async handle(call: GatewayRequest): Promise<void> {
    const handled = this.#handle(call)
    this.#calls.add(handled)
    await handled
    this.#calls.delete(handled)
  }

  /** Cuts what is still under way, and stores what it used. */
  async close(): Promise<void> {
    this.#closing.abort()
    await soon(Promise.all(this.#calls))
    await this.#ledger.close()
  }

  async #handle(call: GatewayRequest): Promise<void> {
    try {
      const admitted = await this.#admit(call)
      if ('status' in admitted) refuse(call.response, admitted)
      else await this.#relay.run(admitted, this.#closing.signal)
    } catch (error) {
      this.#options.log.error({ err: error, session: call.runner.session }, 'The gateway failed at a request')
      const away = isBerthError(error) && ['unavailable', 'storage_full'].includes(error.code)
      const message = away
        ? error.message
        : 'Berth’s model gateway failed at this request. Its log has the cause.'
      refuse(call.response, { status: away ? 503 : 500, type: 'api_error', message })
    }
  }

  /** The exchange that may take place, or why none may. */
  async #admit(call: GatewayRequest): Promise<Exchange | Refusal> {
    const { service, providers, now } = this.#options
    const { runner, response, turn } = call
    const started = now()
    const asked = endpointOf(call.request.method, call.path)
    if (asked === undefined) return nowhere(call)
    const { state, user, project, hasBudget } = await this.#read(runner, asked)
    const { allowedModels } = service.settingsOf(project.settings, state.settings).values
    const request = requestOf(call, asked, allowedModels)
    const refusal = await this.#refusalOf(call, { request, allowedModels, state, project })
    if (refusal !== undefined) return refusal
    const { session } = runner
    const { modelSource: kind, project: name } = state.summary
    const provider = await providers.of(kind, {
      project: name,
      session,
      setting: project.settings.modelProvider,
    })
    if (provider === undefined) return noKey
    return { session, project: name, turn, user, kind, provider, request, response, started, hasBudget }
  }

  /** What a request is judged by. Where nothing is limited, nobody waits until the last answer is counted. */
  async #read(runner: RunnerIdentity, { endpoint }: AskedEndpoint): Promise<Read> {
    // Asked first: what is stored while it is read may not be in it.
    const owed = endpoint === 'messages' ? this.#ledger.owed(runner.session) : 0
    const read = await this.#readOnce(runner)
    if (owed <= (read.hasBudget ? 0 : uncountedAnswers)) return read
    await this.#ledger.settle(runner.session)
    return this.#readOnce(runner)
  }

  async #readOnce({ session }: RunnerIdentity): Promise<Read> {
    const { service, now } = this.#options
    const state = await service.state(session)
    const user = payerOf(state)
    const project = await readSpending(this.#options, { project: state.summary.project, user }, now())
    const hasBudget = budgetsOf(state, project.spending, project.spending.at).length > 0
    return { state, user, project, hasBudget }
  }

  async #refusalOf(
    { runner }: GatewayRequest,
    { request, allowedModels, ...read }: Checked & Parameters<typeof checkBudget>[2],
  ): Promise<Refusal | undefined> {
    const message = modelRefusal(request, allowedModels)
    if (message !== undefined) return { status: 403, type: 'permission_error', message }
    if (request.endpoint !== 'messages') return undefined
    const spent = await checkBudget(this.#options, runner, read)
    return spent && { status: 403, type: 'permission_error', ...spent }
  }
}

/** Answers of a session that may still be on their way into its log: a store that hangs is not asked for more and more. */
const uncountedAnswers = 4

interface Read {
  state: SessionState
  user: string
  project: ReadSpending
  hasBudget: boolean
}

interface Checked {
  request: ModelRequest
  allowedModels: readonly string[]
  project: ReadSpending
}

const nowhere = ({ request, path }: GatewayRequest): Refusal => ({
  status: 404,
  type: 'not_found_error',
  message: `The gateway does not pass ${request.method} ${path.split('?')[0]} on.`,
})

const noKey: Refusal = {
  status: 401,
  type: 'authentication_error',
  message:
    'No model key is set for this project. Give the project one (the setting modelProvider), or the platform: berth model-key set',
}

/** The longest name of a model. */
const maxModelName = 200

const requestOf = (
  { request, body }: GatewayRequest,
  asked: AskedEndpoint,
  allowedModels: readonly string[],
): ModelRequest => {
  const value = body === undefined || body.length === 0 ? undefined : parseJson(body.toString('utf8'))
  const parsed = isObject(value) ? value : undefined
  const model = parsed?.model
  // Sent as it was read: a second `model` in the same object could mean another one to the upstream.
  const sent = allowedModels.length > 0 && parsed !== undefined ? Buffer.from(JSON.stringify(parsed)) : body
  return {
    ...asked,
    headers: requestHeaders(request.headers),
    body: asked.method === 'GET' ? undefined : sent,
    parsed,
    model: typeof model === 'string' && model.length <= maxModelName ? model : undefined,
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Why a model may not be asked. With an allow list, a request whose model can't be read is refused too. */
const modelRefusal = (
  { method, model }: ModelRequest,
  allowedModels: readonly string[],
): string | undefined => {
  if (allowedModels.length === 0 || method !== 'POST') return undefined
  if (model === undefined)
    return 'The project allows only certain models, and the request does not say in readable JSON which one it wants.'
  try {
    checkModel(model, { allowedModels: [...allowedModels] })
    return undefined
  } catch (error) {
    if (isBerthError(error)) return error.message
    throw error
  }
}
