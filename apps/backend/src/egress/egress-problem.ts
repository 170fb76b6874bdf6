import { BerthError, type EgressWhy, isBerthError } from '@berth/contract'
import { connectionWords } from '../outbound/connection-words.ts'
import { privateAddressOf } from '../outbound/outbound.ts'
import { placeOf } from './egress-rules.ts'
import type { EgressTarget } from './egress-target.ts'

/** A request that is not let through, with the word for it that stands in the session's log. */
export class EgressRefusal extends BerthError {
  readonly why: EgressWhy

  constructor(why: EgressWhy, message: string) {
    super('egress_refused', message)
    this.why = why
  }
}

const words: Record<string, string> = {
  ...connectionWords,
  UND_ERR_HEADERS_OVERFLOW: 'the headers of its answer are too large',
  UND_ERR_REQ_CONTENT_LENGTH_MISMATCH: 'the request is not as long as it says',
}

/** What went wrong on the way to a host, in words for the agent. */
export const unreachable = (target: EgressTarget, error: unknown): BerthError => {
  if (isBerthError(error)) return error
  if (privateAddressOf(error) !== undefined)
    return new EgressRefusal(
      'address',
      `${target.host} has no public address. To have sessions reach it, the operator adds ${placeOf(target)} to BERTH_PRIVATE_HOSTS.`,
    )
  const cause = error instanceof AggregateError ? error.errors[0] : error
  const { code = '', name = '' } = (cause ?? {}) as { code?: unknown; name?: string }
  const isLate = name === 'TimeoutError'
  const why =
    words[String(code)] ??
    (/CERT|SSL|TLS|SELF_SIGNED/.test(String(code)) ? 'its certificate is not trusted' : String(code))
  const told = isLate ? 'it took too long' : why || 'the connection failed'
  return new BerthError('egress_failed', `${placeOf(target)} can’t be reached: ${told}.`)
}
