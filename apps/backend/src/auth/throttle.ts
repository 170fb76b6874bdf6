import { isIPv6 } from 'node:net'
import { BerthError } from '@berth/contract'
import { BoundedCache } from './bounded-cache.ts'

export interface ThrottleOptions {
  now: () => number
  /** Failures of an address that cost it nothing. Default: 20. */
  free?: number
}

interface Failures {
  count: number
  /** Until then nothing that it tries is looked at. */
  until: number
}

const baseMs = 1000
const maxMs = 5 * 60_000
/** An address that failed no more for so long begins anew. */
const memoryMs = 15 * 60_000
const maxAddresses = 10_000
const maxGood = 10_000

/**
 * Slows down whoever tries credentials: after some failures of an address each further one doubles the time for which nothing
 * new from there is looked at. A credential that was good lately still is, so that one that guesses does not shut out the
 * others behind the same address.
 */
export class Throttle {
  readonly #now: () => number
  readonly #free: number
  readonly #failures: BoundedCache<Failures>
  readonly #good: BoundedCache<true>

  constructor({ now, free = 20 }: ThrottleOptions) {
    this.#now = now
    this.#free = free
    this.#failures = new BoundedCache({ max: maxAddresses, now })
    this.#good = new BoundedCache({ max: maxGood, now })
  }

  /** Rejects with `too_many_attempts` while the address has to wait, unless the credential was good lately. */
  check(address: string, credential?: string): void {
    const failures = this.#failures.get(placeOf(address))
    const wait = (failures?.until ?? 0) - this.#now()
    if (wait <= 0 || (credential !== undefined && this.#good.get(credential) === true)) return
    const seconds = Math.ceil(wait / 1000)
    const detail = `Too many sign-ins from ${address} failed. Try again in ${seconds} s.`
    throw Object.assign(new BerthError('too_many_attempts', detail), { retryAfter: seconds })
  }

  failed(address: string): void {
    const now = this.#now()
    const place = placeOf(address)
    const count = (this.#failures.get(place)?.count ?? 0) + 1
    const over = count - this.#free
    const until = over > 0 ? now + Math.min(maxMs, baseMs * 2 ** Math.min(over - 1, 30)) : 0
    this.#failures.set(place, { count, until }, now + memoryMs)
  }

  /** The credential, by a hash that tells nothing about it, is good. */
  succeeded(credential: string): void {
    this.#good.set(credential, true, this.#now() + memoryMs)
  }
}

/** Of IPv6, whoever has one address has all of its /64. */
const placeOf = (address: string): string =>
  isIPv6(address) && !address.startsWith('::ffff:') ? prefixOf(address) : address

const prefixOf = (address: string): string => {
  const [head = '', tail] = address.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0')
  return [...left, ...zeros, ...right].slice(0, 4).join(':')
}
