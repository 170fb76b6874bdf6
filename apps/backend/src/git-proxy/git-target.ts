/** A repository behind https or http, as a request of git names it. */
export interface GitTarget {
  scheme: 'https' | 'http'
  /** Lower case; an IPv6 address in brackets. */
  host: string
  port: number
  /** As it is sent on: every part encoded once, nothing in it that a server could read as another path. */
  path: string
  /** The same for all ways to write the same repository. */
  key: string
  /** For people. */
  url: string
}

export const defaultPorts = { https: 443, http: 80 } as const

/**
 * Reads `host/path` as it stands behind the scheme; undefined when a parser of URLs could disagree about it. A user in it
 * is left out: nothing of it is ever sent.
 */
export const parseTarget = (scheme: GitTarget['scheme'], text: string): GitTarget | undefined => {
  const slash = text.indexOf('/')
  const authority = text.slice(0, slash).replace(/^.*@/, '')
  if (slash < 1 || !/^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_][A-Za-z0-9._-]*)(:\d{1,5})?$/.test(authority))
    return undefined
  const parts = partsOf(text.slice(slash))
  if (parts === undefined) return undefined
  // Also turns the other ways to write an IPv4 address into the usual one.
  if (!URL.canParse(`${scheme}://${authority}/`)) return undefined
  const { hostname: host, port: written } = new URL(`${scheme}://${authority}/`)
  const port = written === '' ? defaultPorts[scheme] : Number(written)
  const path = `/${parts.map(encodeURI).join('/')}`
  const place = port === defaultPorts[scheme] ? host : `${host}:${port}`
  const key = `${scheme}://${host}:${port}${path.replace(/\.git$/, '')}`
  return { scheme, host, port, path, key, url: `${scheme}://${place}${path}` }
}

/** The host as it would stand in a list: with the port unless that is the scheme's usual one. */
export const placeOf = ({ scheme, host, port }: Pick<GitTarget, 'scheme' | 'host' | 'port'>): string =>
  port === defaultPorts[scheme] ? host : `${host}:${port}`

/** The decoded parts of a path; undefined for one that has none, or one with a meaning of its own. */
const partsOf = (path: string): string[] | undefined => {
  if (/[?#\\]/.test(path)) return undefined
  const parts = path.split('/').filter((part) => part !== '')
  try {
    const decoded = parts.map(decodeURIComponent)
    return decoded.length > 0 && decoded.every(isPlain) ? decoded : undefined
  } catch {
    return undefined
  }
}

const isPlain = (part: string): boolean =>
  part !== '' &&
  part !== '.' &&
  part !== '..' &&
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  !/[\x00-\x20\x7f/\\?#;]/.test(part) &&
  part.isWellFormed()

/** The repository that a location names; undefined when it is not behind https or http. */
export const targetOf = (location: string): GitTarget | undefined => {
  const [, scheme = '', rest = ''] = /^(https?):\/\/(.+)$/i.exec(location) ?? []
  const lower = scheme.toLowerCase()
  return lower === 'https' || lower === 'http' ? parseTarget(lower, rest) : undefined
}
