import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Dispatcher, errors, Pool } from 'undici'
import type { OnceBody } from './once-body.ts'
import { pausedHeader, returnedHeaders } from './relayed-request.ts'

/** A request that is ready to be sent, as often as it needs, or once if its body says so. */
export interface Relayed {
  method: string
  path: string
  headers: Record<string, string>
  body: Buffer | OnceBody | undefined
  /** Whether it does no harm when it was carried out already. Default: true; else it is sent again only if it never arrived. */
  repeatable?: boolean
  /** Which headers of the answer go back. Default: those that a model's client needs. */
  headersBack?: typeof returnedHeaders
}

export interface Relay {
  /**
   * Sends a request and streams the answer. While the backend is away, tries again; nothing is sent to the agent until
   * an answer begins. Rejects when none came in time; aborting gives the request up on both sides.
   */
  send(request: Relayed, response: ServerResponse, signal: AbortSignal): Promise<void>
  /** The same up to the answer, which is the caller's to read. */
  ask(request: Relayed, signal: AbortSignal): Promise<Dispatcher.ResponseData>
  close(): Promise<void>
}

export interface RelayOptions {
  backendUrl: string
  /** The backend refused a request because it has paused this turn: told before the agent learns anything. */
  onPaused?(turn: string): void
  /** For how long the backend may be away, in ms. Default: 10 minutes. */
  patienceMs?: number
  /** First and longest wait between tries, in ms. Default: 100 and 3000. */
  delaysMs?: { first: number; longest: number }
}

const connections = 64

/** Relays to the backend over kept connections, with no time limit for an answer: a model may think for minutes. */
export const createRelay = (options: RelayOptions): Relay => {
  const { patienceMs = 600_000, delaysMs = { first: 100, longest: 3000 } } = options
  const { origin, pathname } = new URL(options.backendUrl)
  const prefix = pathname.replace(/\/+$/, '')
  const pool = new Pool(origin, {
    connections,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: 5000 },
  })

  const ask = async (request: Relayed, signal: AbortSignal): Promise<Dispatcher.ResponseData | undefined> => {
    const { method, headers, body, repeatable = true } = request
    try {
      const answer = await pool.request({
        method: method as Dispatcher.HttpMethod,
        path: prefix + request.path,
        headers,
        body: body === undefined || Buffer.isBuffer(body) ? (body ?? null) : body.open(),
        signal,
      })
      if (answer.statusCode !== 503 || answer.headers['berth-retry'] !== '1') return answer
      await answer.body.dump()
      return retryable(body)
    } catch (error) {
      if (signal.aborted || !(repeatable ? isAbsence : neverArrived)(error)) throw error
      return retryable(body, error)
    }
  }
  const askUntilAnswered = async (
    request: Relayed,
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> => {
    const deadline = Date.now() + patienceMs
    for (let delay = delaysMs.first; ; delay = Math.min(delay * 2, delaysMs.longest)) {
      const answer = await ask(request, signal)
      if (answer !== undefined) return answer
      if (Date.now() + delay > deadline) throw new Error('the backend could not be reached')
      await sleep(delay * (0.5 + Math.random() / 2), undefined, { signal })
    }
  }
  return {
    ask: askUntilAnswered,
    async send(request, response, signal) {
      const answer = await askUntilAnswered(request, signal)
      const paused = answer.headers[pausedHeader]
      if (typeof paused === 'string') {
        options.onPaused?.(paused)
        await givenUp(signal)
      }
      const { headersBack = returnedHeaders } = request
      response.writeHead(answer.statusCode, headersBack(answer.headers))
      await stream(answer.body, response)
    },
    close: () => pool.destroy(),
  }
}

/** Nothing to answer yet, as long as the request can be sent once more. Throws otherwise. */
const retryable = (body: Relayed['body'], cause?: unknown): undefined => {
  if (body === undefined || Buffer.isBuffer(body) || !body.taken) return undefined
  throw new Error('the backend went away in the middle of a request', { cause })
}

/** For how long the agent may give a request up by itself after its turn was paused, in ms. */
const pauseMs = 3000

/**
 * An interrupted agent closes its request: then its transcript says that it was interrupted, and not that the model refused
 * it. Rejects when it did.
 */
const givenUp = (signal: AbortSignal): Promise<void> => sleep(pauseMs, undefined, { signal })

/** The backend isn't there, or went before it answered; asking again may help. */
const isAbsence = (error: unknown): boolean =>
  neverArrived(error) ||
  error instanceof errors.SocketError ||
  ['ECONNRESET', 'EPIPE', 'ETIMEDOUT'].includes(codeOf(error))

/** There was no connection to send it on. */
const neverArrived = (error: unknown): boolean =>
  error instanceof errors.ConnectTimeoutError ||
  ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH'].includes(codeOf(error))

const codeOf = (error: unknown): string =>
  String(error instanceof Error && 'code' in error ? error.code : undefined)

/**
 * Copies the body as it comes; the head goes with the first piece of it, or at once when there is none yet. An answer that breaks
 * off breaks off here too: a cut must not look like an end.
 */
export const stream = async (body: AsyncIterable<Uint8Array>, response: ServerResponse): Promise<void> => {
  const flush = setImmediate(() => response.flushHeaders())
  try {
    for await (const chunk of body) {
      clearImmediate(flush)
      if (!response.write(chunk) && !response.destroyed)
        await new Promise<void>((resolve) => {
          const go = () => {
            response.off('drain', go).off('close', go)
            resolve()
          }
          response.on('drain', go).on('close', go)
        })
    }
    response.end()
  } catch (error) {
    response.destroy()
    throw error
  } finally {
    clearImmediate(flush)
  }
}
