import { randomUUID } from 'node:crypto'
import { type EventData, preview } from '@berth/contract'
import type { Logger } from 'pino'
import { type SessionService, systemActor } from '../session/service.ts'
import { costOf } from './cost.ts'
import { type Exchange, withoutSecrets } from './exchange.ts'
import type { Ledger } from './ledger.ts'
import type { Reading } from './meter.ts'
import type { Prices } from './prices.ts'
import type { ModelAnswer } from './providers/provider.ts'
import { headerOf } from './providers/send.ts'

export interface AccountOptions {
  service: Pick<SessionService, 'run'>
  prices: Prices
  /** Counts what was metered. */
  count: (source: 'live' | 'scripted', data: EventData<'model.usage'>) => void
  now: () => number
  log: Logger
}

/** Puts what an exchange used, and what went wrong with it, into the session's log. */
export class Accounts {
  readonly #options: AccountOptions
  readonly #ledger: Ledger

  constructor(options: AccountOptions, ledger: Ledger) {
    this.#options = options
    this.#ledger = ledger
  }

  /** An answer has come to its end, or was cut. Never rejects. */
  async answered(
    exchange: Exchange,
    answer: ModelAnswer,
    reading: Reading & { cut: boolean },
  ): Promise<void> {
    const { status } = answer
    if (status >= 400 || reading.error !== undefined) {
      const after = Number(headerOf(answer.headers, 'retry-after'))
      await this.failed(exchange, {
        status,
        type: preview(reading.error?.type ?? 'unknown', 100),
        message: reading.error?.message ?? `The model answered with status ${status}.`,
        retryAfterSeconds: Number.isFinite(after) && after >= 0 ? after : undefined,
      })
    }
    if (reading.counted && exchange.request.endpoint !== 'count-tokens') await this.#used(exchange, reading)
  }

  /** The request was refused, or got no answer. Never rejects. */
  async failed(exchange: Exchange, error: Omit<EventData<'model.error'>, 'turn' | 'model'>): Promise<void> {
    const { session, turn, request, provider } = exchange
    const message = preview(withoutSecrets(error.message, provider), 2000)
    const data = { turn, model: request.model, ...error, message }
    const command = { kind: 'model-error', actor: systemActor('gateway'), data } as const
    await this.#options.service.run({ session, command }).catch((problem) => {
      this.#options.log.error({ err: problem, session }, 'What the model refused could not be stored')
    })
  }

  async #used(exchange: Exchange, reading: Reading & { cut: boolean }): Promise<void> {
    const { prices, count, now } = this.#options
    const { session, project, turn, user, kind, request, started } = exchange
    const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, cacheWriteHourTokens } = reading
    const tokens = { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens }
    const model = preview(reading.model ?? request.model ?? 'unknown', 200)
    const data = {
      turn,
      user,
      request: randomUUID(),
      model,
      ...tokens,
      costUsd: costOf(prices, { source: kind, model }, { ...tokens, cacheWriteHourTokens }),
      durationMs: Math.max(0, now() - started),
      partial: reading.cut || !reading.complete,
    }
    count(kind, data)
    await this.#ledger.add(session, { project, data })
  }
}
