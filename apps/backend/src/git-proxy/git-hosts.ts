import { defaultPorts, type GitTarget } from './git-target.ts'

type Place = Pick<GitTarget, 'scheme' | 'host' | 'port'>

/** The operator's list of git hosts, `BERTH_GIT_HOSTS`. */
export interface GitHosts {
  /** Named one by one: all of it may be read, also at a private address and by plain http. */
  names(place: Place): boolean
  /** All of it may be read. */
  opens(place: Place): boolean
}

interface Pattern {
  host: string
  /** Missing: the usual one of the scheme. */
  port: number | undefined
}

const form = /^(?:(\*\.)?([a-z0-9_][a-z0-9._-]*)|(\[[0-9a-f:.]+\]))(?::(\d{1,5}))?$/

/**
 * Reads the list: `host`, `host:port`, `*.domain` for all names below a domain, or `*` for every host that has a public
 * address and speaks https. Throws for anything else.
 */
export const parseGitHosts = (list: readonly string[]): GitHosts => {
  const any = list.includes('*')
  const patterns = list.filter((item) => item !== '*').map(parsePattern)
  const names = (place: Place) => patterns.some((pattern) => matches(pattern, place))
  return { names, opens: (place) => names(place) || (any && place.scheme === 'https') }
}

const parsePattern = (item: string): Pattern => {
  const match = form.exec(item.toLowerCase())
  if (match === null)
    throw new Error(`${JSON.stringify(item)} is not a host: expected host, host:port, *.domain or *`)
  const [, wildcard = '', name, address, port] = match
  const host = address === undefined ? `${wildcard}${name}` : new URL(`http://${address}`).hostname
  return { host, port: port === undefined ? undefined : Number(port) }
}

const matches = ({ host, port }: Pattern, place: Place): boolean =>
  place.port === (port ?? defaultPorts[place.scheme]) &&
  (host.startsWith('*.') ? place.host.endsWith(host.slice(1)) : place.host === host)
