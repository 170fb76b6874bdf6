import type { IncomingMessage } from 'node:http'

/** Where a program in the sandbox wants to go. */
export interface EgressPlace {
  scheme: 'https' | 'http'
  /** Host and port as they were asked for. */
  authority: string
  /** The host alone, without brackets. */
  host: string
}

const authorityForm = /^(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9_.-]{1,253})(?::(\d{1,5}))?$/

/** Reads a host with its port; undefined when it is none. */
export const placeOf = (scheme: EgressPlace['scheme'], authority: string): EgressPlace | undefined => {
  const [, host] = authorityForm.exec(authority) ?? []
  if (host === undefined) return undefined
  return {
    scheme,
    authority,
    host: host
      .replace(/^\[|\]$/g, '')
      .replace(/\.$/, '')
      .toLowerCase(),
  }
}

/** What a request to a proxy asks for: a whole address. */
export const readAbsolute = (url: string): { place: EgressPlace; target: string } | undefined => {
  const [, scheme = '', authority = '', target = ''] = /^(https?):\/\/([^/?#]+)(.*)$/is.exec(url) ?? []
  const place = placeOf(scheme.toLowerCase() === 'https' ? 'https' : 'http', authority)
  if (scheme === '' || place === undefined) return undefined
  return { place, target: target.startsWith('/') ? target : `/${target}` }
}

const usualPort = { https: '443', http: '80' } as const

/** Whether a request that came through a tunnel is one for the place that the tunnel was opened to. */
export const isFor = ({ rawHeaders }: IncomingMessage, { scheme, authority }: EgressPlace): boolean => {
  const hosts = rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === 'host')
  const [host] = hosts
  return hosts.length === 1 && host !== undefined && whole(host, scheme) === whole(authority, scheme)
}

const whole = (authority: string, scheme: EgressPlace['scheme']): string => {
  const [, host = authority, port = usualPort[scheme]] = authorityForm.exec(authority) ?? []
  return `${host.replace(/\.$/, '').toLowerCase()}:${Number(port)}`
}
