import { once } from 'node:events'
import { isBerthError } from '@berth/contract'
import { privateAddressOf } from '../outbound/outbound.ts'
import type { Accounts } from './accounts.ts'
import { type Exchange, withoutSecrets } from './exchange.ts'
import { answerHeaders } from './headers.ts'
import { type Ledger, soon } from './ledger.ts'
import { Meter } from './meter.ts'
import { type ModelAnswer, ModelProblem } from './providers/provider.ts'
import { headerOf } from './providers/send.ts'
import { refuse } from './refuse.ts'

/** Asks the model, and passes its answer on as it comes: nothing of it is kept but what metering reads. */
export class Relay {
  readonly #accounts: Accounts
  readonly #ledger: Ledger

  constructor(accounts: Accounts, ledger: Ledger) {
    this.#accounts = accounts
    this.#ledger = ledger
  }

  /** Resolves when the answer has passed and was counted. `closing` cuts it. */
  async run(exchange: Exchange, closing: AbortSignal): Promise<void> {
    const { response, provider, request } = exchange
    const gone = new AbortController()
    response.on('close', () => {
      if (!response.writableFinished) gone.abort()
    })
    response.on('error', () => gone.abort())
    if (response.destroyed) return
    const signal = AbortSignal.any([gone.signal, closing])
    let answer: ModelAnswer
    try {
      answer = await provider.ask(request, signal)
    } catch (error) {
      if (gone.signal.aborted) return
      const refusal = refusalOf(error)
      const message = withoutSecrets(refusal.message, provider)
      refuse(response, { ...refusal, message })
      const { status, type } = error instanceof ModelProblem ? error : { status: 0, type: 'unreachable' }
      return this.#accounts.failed(exchange, { status, type, message })
    }
    await this.#pass(exchange, answer, signal)
  }

  async #pass(exchange: Exchange, answer: ModelAnswer, signal: AbortSignal): Promise<void> {
    const { response, session, hasBudget } = exchange
    const meter = new Meter(headerOf(answer.headers, 'content-type'))
    const decoded = headerOf(answer.headers, 'content-encoding') === undefined
    response.writeHead(answer.status, answerHeaders(answer.headers))
    // Together with the first piece, where that has come with them.
    const flush = setImmediate(() => response.flushHeaders())
    let accounted: Promise<void> | undefined
    let counted: (() => void) | undefined
    const account = (cut: boolean) => {
      accounted ??= this.#accounts
        .answered(exchange, answer, { ...meter.end(), cut })
        .finally(() => counted?.())
      return accounted
    }
    // Whoever reads the end of an answer may ask again at once: by then it has to count, and with a budget wherever it asks.
    const countFirst = async () => {
      counted ??= this.#ledger.expect(session)
      if (hasBudget) await soon(account(false))
    }
    try {
      for await (const chunk of answer.body) {
        if (decoded) meter.write(chunk)
        if (meter.reading.complete) await countFirst()
        clearImmediate(flush)
        if (!response.write(chunk)) await once(response, 'drain', { signal })
      }
      await countFirst()
      response.end()
      await account(false)
    } catch {
      // Upstream or agent hung up in the middle: the agent sees the same cut, and what was counted is kept.
      response.destroy()
      await account(true)
    } finally {
      clearImmediate(flush)
    }
  }
}

/** Why there is no answer, for the agent. */
const refusalOf = (error: unknown): { status: number; type: string; message: string } => {
  if (error instanceof ModelProblem) {
    const { status, type, message } = error
    return { status, type, message }
  }
  // A secret that isn't there or can't be opened: trying again doesn't help.
  if (isBerthError(error) && error.code.startsWith('secret_'))
    return { status: 401, type: 'authentication_error', message: error.message }
  const closed = privateAddressOf(error)
  const cause =
    closed === undefined
      ? error instanceof Error
        ? error.message
        : String(error)
      : `${closed.message}. Whoever runs Berth can open it with BERTH_PRIVATE_HOSTS.`
  return { status: 502, type: 'api_error', message: `The model could not be reached: ${cause}` }
}
