import { isIP } from 'node:net'
import type { AddressKind } from './public-address.ts'

/** Where a connection goes: as it is written in a URL, without brackets. */
export interface Place {
  host: string
  port: number
}

/** Decides about one address of a host. Pure. */
export type Reach = (place: Place, kind: AddressKind) => boolean

/** Any address; for hosts that the operator names. */
export const anyAddress: Reach = () => true
/** Addresses of the public internet alone. */
export const publicAddress: Reach = (_place, kind) => kind === 'public'

const form = /^(?:([a-z0-9_][a-z0-9._-]*)|\[([0-9a-f:.]+)\])(?::(\d{1,5}))?$/

/**
 * Reads `BERTH_PRIVATE_HOSTS`: `host` (every port of it) or `host:port` may have a private address, and with `*` every host. What
 * is closed stays closed, unless the list has that address itself. Throws for anything else.
 */
export const parsePrivateHosts = (list: readonly string[]): Reach => {
  const any = list.includes('*')
  const patterns = list.filter((item) => item !== '*').map(parsePattern)
  const names = ({ host, port }: Place) =>
    patterns.some((pattern) => pattern.host === host && (pattern.port ?? port) === port)
  return (place, kind) => {
    if (kind === 'public') return true
    if (names(place)) return kind === 'private' || isIP(place.host) !== 0
    return any && kind === 'private'
  }
}

const parsePattern = (item: string): { host: string; port: number | undefined } => {
  const [, name, address, port] = form.exec(item.toLowerCase()) ?? []
  const host = name ?? (address !== undefined && isIP(address) === 6 ? address : undefined)
  if (host === undefined)
    throw new Error(`${JSON.stringify(item)} is not a host: expected host, host:port or *`)
  return { host: plainHost(host), port: port === undefined ? undefined : Number(port) }
}

/** A host in the one form in which a URL has it, without brackets. */
export const plainHost = (host: string): string => {
  const written = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
  return URL.canParse(`http://${written}`)
    ? new URL(`http://${written}`).hostname.replace(/^\[|\]$/g, '')
    : host
}
