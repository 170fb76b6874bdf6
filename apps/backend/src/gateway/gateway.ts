import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { type EventData, isBerthError, preview } from '@berth/contract'
import type { Logger } from 'pino'
import { Agent, type Dispatcher } from 'undici'
import { z } from 'zod'
import { budgetsOf } from '../session/budget.ts'
import { payerOf, readSpending } from '../session/read-spending.ts'
import type { SessionService } from '../session/service.ts'
import { checkModel, sessionSettingsOf, systemActor } from '../session/service.ts'
import type { RunnerIdentity, Store } from '../store/port.ts'
import { checkBudget } from './budget-gate.ts'
import { costOf } from './cost.ts'
import { Ledger, soon } from './ledger.ts'
import { Meter, type Reading } from './meter.ts'
import type { ModelSource } from './model-source.ts'
import type { Prices } from './prices.ts'

/** The largest request body. */
export const maxRequestBytes = 32 * 1024 * 1024

/** The endpoints of the Messages API that Claude Code needs. */
const endpoints: Record<string, readonly string[]> = {
  '/v1/messages': ['POST'],
  '/v1/messages/count_tokens': ['POST'],
  '/v1/models': ['GET'],
}

const oneModel = /^\/v1\/models\/[A-Za-z0-9][\w.-]*$/

const forwarded = [
  'content-type',
  'accept',
  'anthropic-version',
  'anthropic-beta',
  'user-agent',
  'accept-encoding',
]
const dropped = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'set-cookie',
  'content-length',
  'upgrade',
])

const askedModel = z.object({ model: z.string().max(200) })

export interface GatewayOptions {
  source: ModelSource
  service: SessionService
  store: Store
  prices: Prices
  /** Counts what was metered. */
  count: (source: 'live' | 'scripted', data: EventData<'model.usage'>) => void
  now: () => number
  log: Logger
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
 * The way from a session to its model: checks endpoint and model, puts the real key in, passes the answer through as
 * it comes, and meters it into the session's log. What the upstream refuses is passed on as it is.
 */
export class Gateway {
  readonly #options: GatewayOptions
  readonly #ledger: Ledger
  readonly #calls = new Set<Promise<void>>()
  readonly #agent = new Agent({
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: 10_000 },
    allowH2: false,
  })

  constructor(options: GatewayOptions) {
    this.#options = options
    this.#ledger = new Ledger(options)
  }

  /** Answers the call. Never rejects: what goes wrong here is told to the agent as an answer. */
  async handle(call: GatewayRequest): Promise<void> {
    const handled = this.#handle(call)
    this.#calls.add(handled)
    await handled
    this.#calls.delete(handled)
  }

  async #handle(call: GatewayRequest): Promise<void> {
    try {
      await this.#pass(call)
    } catch (error) {
      this.#options.log.error({ err: error, session: call.runner.session }, 'The gateway failed at a request')
      const away = isBerthError(error) && ['unavailable', 'storage_full'].includes(error.code)
      const message = away
        ? error.message
        : 'Berth’s model gateway failed at this request. Its log has the cause.'
      refuse(call.response, { status: away ? 503 : 500, type: 'api_error', message })
    }
  }

  async #pass(call: GatewayRequest): Promise<void> {
    const { source, store, now } = this.#options
    const started = now()
    const pathname = call.path.split('?')[0] ?? ''
    if (pathname === '/v1/messages') await this.#ledger.settle(call.runner.session)
    const state = await this.#options.service.state(call.runner.session)
    const methods = endpoints[pathname] ?? (oneModel.test(pathname) ? ['GET'] : [])
    if (!methods.includes(call.request.method ?? ''))
      return void refuse(call.response, {
        status: 404,
        type: 'not_found_error',
        message: `The gateway does not pass ${call.request.method} ${pathname} on.`,
      })
    const asked = parse(call.body)
    const model = askedModel.safeParse(asked).data?.model
    const user = payerOf(state)
    const project = await readSpending(store, { project: state.summary.project, user }, now())
    const allowed = sessionSettingsOf(state.settings, project.settings).values.allowedModels
    const refusal = refusalOf(call, { model, allowed })
    if (refusal !== undefined)
      return void refuse(call.response, { status: 403, type: 'permission_error', message: refusal })
    if (pathname === '/v1/messages') {
      const spent = await checkBudget(this.#options, call.runner, { state, project })
      if (spent !== undefined)
        return void refuse(call.response, { status: 403, type: 'permission_error', ...spent })
    }
    // Sent as it was read: a second `model` in the same object could mean another one to the upstream.
    const body = allowed.length > 0 && asked !== undefined ? Buffer.from(JSON.stringify(asked)) : call.body
    const upstream = await source.upstream(state.summary.modelSource)
    if (upstream === undefined)
      return void refuse(call.response, {
        status: 401,
        type: 'authentication_error',
        message: 'No model key is set in Berth. Set one with: berth model-key set',
      })
    const hasBudget = budgetsOf(state, project.spending, new Date(started).toISOString()).length > 0
    const kind = state.summary.modelSource
    const context = { call: { ...call, body }, model, user, started, kind, hasBudget }
    await this.#forward(context, upstream)
  }

  /** Cuts what is still under way, and stores what it used. */
  async close(): Promise<void> {
    await this.#agent.destroy()
    await soon(Promise.all(this.#calls))
    await this.#ledger.close()
  }

  async #forward(context: Context, { baseUrl, apiKey }: { baseUrl: string; apiKey: string }): Promise<void> {
    const { call } = context
    const gone = new AbortController()
    call.response.on('close', () => gone.abort())
    call.response.on('error', () => gone.abort())
    if (call.response.destroyed) return
    let answer: Dispatcher.ResponseData
    try {
      answer = await this.#agent.request({
        origin: new URL(baseUrl).origin,
        path: `${new URL(baseUrl).pathname.replace(/\/$/, '')}${call.path}`,
        method: call.request.method as Dispatcher.HttpMethod,
        headers: { ...chosen(call.request.headers), 'x-api-key': apiKey },
        body: call.body,
        signal: gone.signal,
      })
    } catch (error) {
      if (gone.signal.aborted) return
      const cause = error instanceof Error ? error.message : String(error)
      const message = `The model could not be reached: ${cause.replaceAll(apiKey, '[key]')}`
      refuse(call.response, { status: 502, type: 'api_error', message })
      return this.#report(context, { status: 0, type: 'unreachable', message })
    }
    await this.#relay({ ...context, apiKey, gone: gone.signal }, answer)
  }

  async #relay(context: Answered, answer: Dispatcher.ResponseData): Promise<void> {
    const { response } = context.call
    const meter = new Meter(header(answer.headers, 'content-type'))
    const decoded = header(answer.headers, 'content-encoding') === undefined
    const headers = Object.entries(answer.headers).filter(([name]) => !dropped.has(name))
    response.writeHead(answer.statusCode, Object.fromEntries(headers) as Record<string, string>)
    response.flushHeaders()
    let accounted: Promise<void> | undefined
    let counted: (() => void) | undefined
    // Whoever reads the end of an answer may ask again at once: by then it has to count.
    const finishing = () => {
      counted ??= this.#ledger.expect(context.call.runner.session)
    }
    const account = (cut: boolean) => {
      accounted ??= this.#account(context, answer, { ...meter.end(), cut }).finally(() => counted?.())
      return accounted
    }
    // With a budget it counts for whichever backend is asked next.
    const countFirst = async () => {
      finishing()
      if (context.hasBudget) await soon(account(false))
    }
    try {
      for await (const chunk of answer.body as AsyncIterable<Buffer>) {
        if (decoded) meter.write(chunk)
        if (meter.reading.complete) await countFirst()
        if (!response.write(chunk)) await once(response, 'drain', { signal: context.gone })
      }
      await countFirst()
      response.end()
      await account(false)
    } catch {
      // Upstream or agent hung up in the middle: the agent sees the same cut, and what was counted is kept.
      response.destroy()
      await account(true)
    }
  }

  async #account(
    context: Answered,
    answer: Dispatcher.ResponseData,
    reading: Reading & { cut: boolean },
  ): Promise<void> {
    const { statusCode: status } = answer
    if (status >= 400 || reading.error !== undefined) {
      const after = Number(header(answer.headers, 'retry-after'))
      await this.#report(context, {
        status,
        type: reading.error?.type ?? 'unknown',
        message: (reading.error?.message ?? `The model answered with status ${status}.`).replaceAll(
          context.apiKey,
          '[key]',
        ),
        retryAfterSeconds: Number.isFinite(after) && after >= 0 ? after : undefined,
      })
    }
    if (!reading.counted || context.call.path.includes('count_tokens')) return
    const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens } = reading
    const tokens = { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens }
    const model = preview(reading.model ?? context.model ?? 'unknown', 200)
    const { prices, count, now } = this.#options
    const { cacheWriteHourTokens } = reading
    const costUsd = costOf(prices, { source: context.kind, model }, { ...tokens, cacheWriteHourTokens })
    const durationMs = Math.max(0, now() - context.started)
    const partial = reading.cut || !reading.complete
    const data = {
      turn: context.call.turn,
      user: context.user,
      request: randomUUID(),
      model,
      ...tokens,
      costUsd,
      durationMs,
      partial,
    }
    count(context.kind, data)
    const { session, project } = context.call.runner
    await this.#ledger.add(session, { project, data })
  }

  #report(context: Context, error: Omit<EventData<'model.error'>, 'turn' | 'model'>): Promise<void> {
    const data = {
      turn: context.call.turn,
      model: context.model,
      ...error,
      message: preview(error.message, 2000),
    }
    return this.#append(context, { kind: 'model-error', actor: systemActor('gateway'), data })
  }

  async #append({ call }: Context, command: Parameters<SessionService['run']>[0]['command']): Promise<void> {
    const { session } = call.runner
    await this.#options.service.run({ session, command }).catch((error) => {
      this.#options.log.error({ err: error, session }, 'What the model used could not be stored')
    })
  }
}

interface Context {
  call: GatewayRequest
  model: string | undefined
  /** Whose budget it counts against. */
  user: string
  started: number
  kind: 'live' | 'scripted'
  /** What it costs may keep the session from asking again. */
  hasBudget: boolean
}

interface Answered extends Context {
  /** Never told to anyone, not even when the upstream repeats it. */
  apiKey: string
  /** Aborts when the agent has gone. */
  gone: AbortSignal
}

/** Why a model may not be asked. With an allow list, a request whose model can't be read is refused too. */
const refusalOf = (
  { request, body }: GatewayRequest,
  { model, allowed }: { model: string | undefined; allowed: string[] },
): string | undefined => {
  if (allowed.length === 0 || request.method !== 'POST') return undefined
  if (model === undefined || body === undefined)
    return 'The project allows only certain models, and the request does not say in readable JSON which one it wants.'
  try {
    checkModel(model, { allowedModels: allowed })
    return undefined
  } catch (error) {
    if (isBerthError(error)) return error.message
    throw error
  }
}

const chosen = (headers: IncomingHttpHeaders): Record<string, string> => {
  const kept = forwarded.flatMap((name) => {
    const value = headers[name]
    return typeof value === 'string' ? [[name, value] as const] : []
  })
  // Metering reads the answer as it passes, so it must not be compressed.
  return { ...Object.fromEntries(kept), 'accept-encoding': 'identity' }
}

const header = (headers: Dispatcher.ResponseData['headers'], name: string): string | undefined => {
  const value = headers[name]
  return Array.isArray(value) ? value[0] : value
}

const refuse = (
  response: ServerResponse,
  { status, paused, ...error }: { status: number; type: string; message: string; paused?: string },
): unknown => {
  if (response.headersSent || response.destroyed) return response.destroy()
  // The door waits and sends the request again when it is told so.
  const retry = status === 503 ? { 'berth-retry': '1' } : {}
  // The door interrupts the turn before the agent learns of the refusal: it is to go on one day, not to fail.
  const pause = paused === undefined ? {} : { 'berth-paused': paused }
  response.writeHead(status, { 'content-type': 'application/json', ...retry, ...pause })
  return response.end(JSON.stringify({ type: 'error', error }))
}

const parse = (body: Buffer | undefined): unknown => {
  if (body === undefined || body.length === 0) return undefined
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    // The upstream says what is wrong with the body better than we could.
    return undefined
  }
}
