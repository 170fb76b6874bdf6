import type { EgressRequestHead } from '@berth/contract'

/** Where a request goes, read once, so that whoever judges and whoever asks mean the same. */
export interface EgressTarget {
  scheme: 'https' | 'http'
  /** Lower case, without a dot at the end; an IPv6 address in brackets. */
  host: string
  port: number
  /** Path and query as they are sent on: in its shortest form, else as it came. */
  path: string
  /** The path alone, in two readings: with parts as they were sent, and decoded, as servers may understand it. */
  readings: PathReadings
  /** For people: without the query. */
  url: string
}

export interface PathReadings {
  sent: string
  decoded: string
  /** The path has parts that servers understand differently, such as `..%2f`. */
  ambiguous: boolean
}

export const defaultPorts = { https: 443, http: 80 } as const

/** What a target may be written with; everything else is no HTTP. */
const targetForm = /^\/[A-Za-z0-9._~!$&'()*+,;=:@%/?[\]{}|^"`<>-]*$/
const authorityForm =
  /^(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63}){0,30}\.?)(?::(\d{1,5}))?$/

/** Reads the place of a request; undefined when it names none, or one that could be read in two ways. */
export const readTarget = ({
  scheme,
  authority,
  target,
}: Pick<EgressRequestHead, 'scheme' | 'authority' | 'target'>): EgressTarget | undefined => {
  const match = authorityForm.exec(authority)
  if (match === null || !targetForm.test(target)) return undefined
  const [, name = '', written] = match
  const base = `${scheme}://${name.replace(/\.$/, '')}/`
  // Also turns the other ways to write an address into the usual one.
  if (!URL.canParse(base)) return undefined
  const host = new URL(base).hostname
  const port = written === undefined ? defaultPorts[scheme] : Number(written)
  if (port < 1 || port > 65_535 || host === '') return undefined
  const mark = target.indexOf('?')
  const sent = shortest(mark === -1 ? target : target.slice(0, mark))
  const readings = readPath(sent)
  if (readings === undefined) return undefined
  const query = mark === -1 ? '' : target.slice(mark)
  const place = port === defaultPorts[scheme] ? host : `${host}:${port}`
  return { scheme, host, port, path: `${sent}${query}`, readings, url: `${scheme}://${place}${sent}` }
}

/** Characters that need no escape have none, and escapes are in lower case: two ways to write a path become one. */
export const shortest = (path: string): string =>
  path.replace(/%([0-9A-Fa-f]{2})/g, (escaped, hex: string) => {
    const char = String.fromCharCode(Number.parseInt(hex, 16))
    return /[A-Za-z0-9._~-]/.test(char) ? char : escaped.toLowerCase()
  })

/** Undefined: the escapes are broken. */
export const readPath = (sent: string): PathReadings | undefined => {
  if (/%(?![0-9a-fA-F]{2})/.test(sent)) return undefined
  const decoded = decode(sent)
  return { sent, decoded, ambiguous: isAmbiguous(decoded) }
}

/** Bytes that are no UTF-8 stay escaped. */
const decode = (path: string): string => {
  try {
    return decodeURIComponent(path)
  } catch {
    return path.replace(/%[0-7][0-9a-f]/g, (escaped) => decodeURIComponent(escaped))
  }
}

/** Dots that lead elsewhere (also before a `;`), empty parts, backslashes, control characters, and escapes of escapes. */
const isAmbiguous = (decoded: string): boolean =>
  decoded
    .slice(1)
    .split('/')
    .some((part, index, parts) => /^\.{1,2}(;|$)/.test(part) || (part === '' && index < parts.length - 1)) ||
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  /[\\\x00-\x1f\x7f]|%(2e|2f|5c|25|00)/i.test(decoded)
