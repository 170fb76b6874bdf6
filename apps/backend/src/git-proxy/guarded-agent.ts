import { type LookupAddress, type LookupOptions, lookup } from 'node:dns'
import { isIP } from 'node:net'
import { Agent } from 'undici'
import { isPublicAddress } from './public-address.ts'

/** A host whose address is not a public one. */
export class PrivateAddress extends Error {
  override readonly name = 'PrivateAddress'
}

type Found = (error: Error | null, address: string | LookupAddress[], family?: number) => void
export type Lookup = (host: string, options: LookupOptions, found: Found) => void

/**
 * Resolves a name for one connection, which then goes to just the addresses that were looked at: a name that changes its mind
 * in between leads nowhere else. One private address among them is one too many.
 */
export const guardedLookup =
  (resolve: typeof lookup = lookup): Lookup =>
  (host, options, found) =>
    resolve(host, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return found(error, [])
      const [first] = addresses
      if (first === undefined || addresses.some(({ address }) => !isPublicAddress(address)))
        return found(new PrivateAddress(`${host} has an address that is not public`), [])
      if (options.all === true) return found(null, addresses)
      found(null, first.address, first.family)
    })

export interface GuardedAgentOptions {
  headersMs: number
  idleMs: number
}

/** Connections to git servers: `open` to any address, `guarded` to public ones alone. */
export interface GuardedAgents {
  open: Agent
  guarded: Agent
}

export const createAgents = ({ headersMs, idleMs }: GuardedAgentOptions): GuardedAgents => {
  const common = { headersTimeout: headersMs, bodyTimeout: idleMs, maxHeaderSize: 32 * 1024 }
  const connect = { timeout: 10_000 }
  return {
    open: new Agent({ ...common, connect }),
    guarded: new Agent({ ...common, connect: { ...connect, lookup: guardedLookup() } }),
  }
}

/** A host that is an address already is never looked up. Throws PrivateAddress. */
export const checkLiteral = (host: string): void => {
  const address = host.replace(/^\[|\]$/g, '')
  if (isIP(address) !== 0 && !isPublicAddress(address))
    throw new PrivateAddress(`${address} is not a public address`)
}
