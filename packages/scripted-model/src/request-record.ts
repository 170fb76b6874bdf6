import { hash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { limits } from './limits.ts'
import type { Outcome } from './send-reply.ts'

/** One request as it arrived, and what became of it. */
export interface RecordedRequest {
  /** When it arrived. */
  readonly time: Date
  readonly method: string
  /** With the query. */
  readonly path: string
  /** Empty when the body names none. */
  readonly model: string
  /** Without credentials and cookies; see `credential`. */
  readonly headers: Readonly<Record<string, string>>
  /** How the client authenticated, and the first 12 hex digits of the SHA-256 of its secret. */
  readonly credential: { readonly scheme: 'x-api-key' | 'bearer' | 'none'; readonly fingerprint: string }
  /** Parsed JSON; undefined without a body or when it isn't JSON. */
  readonly body: unknown
  /** The scenario that answered; undefined for everything else. */
  readonly scenario: string | undefined
  /** `open` while the answer is under way. */
  readonly outcome: Outcome | 'open'
}

/** A request while it is being handled. */
export type OpenRecord = { -readonly [Key in keyof RecordedRequest]: RecordedRequest[Key] }

/** The record of requests, newest last, with its waiters. */
export interface RequestRecord {
  readonly requests: readonly RecordedRequest[]
  add(entry: OpenRecord, bytes: number): void
  /** Changes an entry and shows it to the waiters again. */
  update(entry: OpenRecord, change: Partial<Pick<OpenRecord, 'scenario' | 'outcome'>>): void
  waitFor(predicate: (request: RecordedRequest) => boolean, timeoutMs: number): Promise<RecordedRequest>
  clear(): void
}

const secretHeaders = new Set(['x-api-key', 'authorization', 'proxy-authorization', 'cookie'])

/** Headers that may be kept. */
export function publicHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !secretHeaders.has(name))
      kept[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return kept
}

/** How the client authenticated, without the secret itself. */
export function readCredential(headers: IncomingHttpHeaders): RecordedRequest['credential'] {
  const key = headers['x-api-key']
  const bearer = headers.authorization?.replace(/^bearer /i, '')
  const secret = typeof key === 'string' ? key : bearer
  if (secret === undefined) return { scheme: 'none', fingerprint: '' }
  return { scheme: typeof key === 'string' ? 'x-api-key' : 'bearer', fingerprint: fingerprintOf(secret) }
}

/** What `credential.fingerprint` shows for a secret. */
export function fingerprintOf(secret: string): string {
  return hash('sha256', secret).slice(0, 12)
}

export function createRequestRecord(): RequestRecord {
  const requests: RecordedRequest[] = []
  const sizes: number[] = []
  const waiters = new Set<(request: RecordedRequest) => void>()
  let held = 0
  const tell = (entry: RecordedRequest) => {
    for (const waiter of [...waiters]) waiter(entry)
  }
  return {
    requests,
    add(entry, bytes) {
      requests.push(entry)
      sizes.push(bytes)
      held += bytes
      while (
        requests.length > limits.recordedRequests ||
        (held > limits.recordedBytes && requests.length > 1)
      ) {
        requests.shift()
        held -= sizes.shift() ?? 0
      }
      tell(entry)
    },
    update(entry, change) {
      tell(Object.assign(entry, change))
    },
    waitFor(predicate, timeoutMs) {
      const known = requests.find(predicate)
      if (known) return Promise.resolve(known)
      const { promise, resolve, reject } = Promise.withResolvers<RecordedRequest>()
      const timer = setTimeout(() => {
        reject(
          new Error(`No such request came within ${timeoutMs} ms; ${requests.length} others are on record.`),
        )
      }, timeoutMs)
      const waiter = (request: RecordedRequest) => {
        if (predicate(request)) resolve(request)
      }
      waiters.add(waiter)
      return promise.finally(() => {
        clearTimeout(timer)
        waiters.delete(waiter)
      })
    },
    clear() {
      requests.length = 0
      sizes.length = 0
      held = 0
    },
  }
}
