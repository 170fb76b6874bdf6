import type { Dispatcher } from 'undici'
import type { KeyRest } from './key-rest.ts'
import type { ModelAnswer, ModelProvider, ModelRequest } from './provider.ts'
import { below, headerOf, send } from './send.ts'

/** A key, read when it is needed. */
export interface ModelKey {
  /** Names it among all keys of all projects; no part of it. */
  id: string
  value: () => Promise<string>
}

export interface AnthropicOptions {
  /** Where the API is, without `/v1`. */
  url: string
  header: 'x-api-key' | 'bearer'
  /** At least one, in the order of their use. */
  keys: readonly ModelKey[]
  rest: KeyRest
  agent: Dispatcher
  now: () => number
}

/** The key is unknown, has no rights, or is at its limit: another one may do. */
const refusals = [401, 403, 429]

/** Anthropic, or whoever speaks its Messages API: what the agent says is passed on with a key. */
export class AnthropicProvider implements ModelProvider {
  readonly hidden = new Set<string>()
  readonly #options: AnthropicOptions

  constructor(options: AnthropicOptions) {
    this.#options = options
  }

  async ask(request: ModelRequest, signal: AbortSignal): Promise<ModelAnswer> {
    const { keys, rest, now } = this.#options
    const order = rest.order(keys, now())
    let problem: unknown = new Error('There is no key')
    for (const [index, key] of order.entries()) {
      const last = index === order.length - 1
      try {
        const answer = await this.#askWith(key, request, signal)
        if (last || !refusals.includes(answer.statusCode))
          return { status: answer.statusCode, headers: answer.headers, body: answer.body }
        await answer.body.dump()
      } catch (error) {
        // A secret that can't be read is no reason to leave the other keys alone; a connection that fails is.
        if (last || !(error instanceof UnreadableKey))
          throw error instanceof UnreadableKey ? error.cause : error
        problem = error.cause
      }
    }
    throw problem
  }

  async #askWith(
    { id, value }: ModelKey,
    { path, method, headers, body }: ModelRequest,
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    const { url, header, agent, rest, now } = this.#options
    const key = await value().catch((error) => {
      throw new UnreadableKey('A key can’t be read', { cause: error })
    })
    this.hidden.add(key)
    const credential: Record<string, string> =
      header === 'bearer' ? { authorization: `Bearer ${key}` } : { 'x-api-key': key }
    const sent = { url: below(url, path), method, headers: { ...headers, ...credential }, body }
    const answer = await send(agent, sent, signal)
    if (refusals.includes(answer.statusCode))
      rest.refused(id, { now: now(), retryAfter: headerOf(answer.headers, 'retry-after') })
    else rest.accepted(id)
    return answer
  }
}

class UnreadableKey extends Error {}
