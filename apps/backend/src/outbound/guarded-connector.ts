import { type LookupAddress, type LookupOptions, lookup } from 'node:dns'
import { isIP } from 'node:net'
import { buildConnector } from 'undici'
import { type Place, plainHost, type Reach } from './private-hosts.ts'
import { kindOf } from './public-address.ts'

/** A host with an address that may not be asked. */
export class PrivateAddress extends Error {
  override readonly name = 'PrivateAddress'
  readonly host: string

  constructor({ host }: Pick<Place, 'host'>, reason: string) {
    super(reason)
    this.host = host
  }
}

type Found = (error: Error | null, address: string | LookupAddress[], family?: number) => void
export type Lookup = (host: string, options: LookupOptions, found: Found) => void
export type Resolve = typeof lookup

/**
 * Resolves a name for one connection, which then goes to just the addresses that were looked at: a name that changes its mind
 * in between leads nowhere else. One address among them that may not be asked is one too many.
 */
export const guardedLookup =
  (place: Place, reach: Reach, resolve: Resolve = lookup): Lookup =>
  (host, options, found) =>
    resolve(host, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return found(error, [])
      const [first] = addresses
      if (first === undefined || !addresses.every(({ address }) => reach(place, kindOf(address))))
        return found(new PrivateAddress(place, `${host} has an address that is not public`), [])
      if (options.all === true) return found(null, addresses)
      found(null, first.address, first.family)
    })

/** A host that is an address already is never looked up. Throws PrivateAddress. */
export const checkLiteral = (place: Place, reach: Reach): void => {
  if (isIP(place.host) !== 0 && !reach(place, kindOf(place.host)))
    throw new PrivateAddress(place, `${place.host} is not a public address`)
}

export interface GuardedConnectorOptions {
  reach: Reach
  /** Milliseconds until a connection stands. */
  timeoutMs: number
  /** Default: the system's. */
  resolve?: Resolve
}

/** Places whose TLS sessions are remembered. */
const maxPlaces = 200

/** Opens connections for an undici agent, each to an address that was judged. */
export const guardedConnector = ({
  reach,
  timeoutMs,
  resolve,
}: GuardedConnectorOptions): buildConnector.connector => {
  // undici's connector takes its lookup when it is made, and the judgement needs the port.
  const connectors = new Map<string, buildConnector.connector>()
  const connectorOf = (place: Place) => {
    const key = `${place.host} ${place.port}`
    const known = connectors.get(key)
    if (known !== undefined) return known
    const lookup = guardedLookup(place, reach, resolve)
    const made = buildConnector({ timeout: timeoutMs, lookup } as buildConnector.BuildOptions)
    const [oldest] = connectors.keys()
    if (connectors.size >= maxPlaces && oldest !== undefined) connectors.delete(oldest)
    connectors.set(key, made)
    return made
  }
  return (options, done) => {
    const usual = options.protocol === 'https:' ? 443 : 80
    const place = { host: plainHost(options.hostname), port: Number(options.port) || usual }
    try {
      checkLiteral(place, reach)
    } catch (error) {
      return done(error as Error, null)
    }
    connectorOf(place)(options, done)
  }
}
