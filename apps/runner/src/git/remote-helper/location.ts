/** A repository as git names it to its helper. */
export interface Location {
  scheme: 'https' | 'http'
  /** Host and path, without a user: it is nobody’s business who the agent thinks it is. */
  place: string
  host: string
  port: number
}

/** Reads what stands behind `berth::`; undefined when it is no address that the helper can take. */
export const parseLocation = (address: string): Location | undefined => {
  const [, scheme = '', authority = '', path = ''] = /^(https?):\/\/([^/]+)(\/.+)$/i.exec(address) ?? []
  if (!URL.canParse(address) || path === '') return undefined
  const { protocol, hostname: host, port } = new URL(address)
  const kind = scheme.toLowerCase() === 'https' ? 'https' : 'http'
  if (protocol !== `${kind}:`) return undefined
  const place = `${authority.replace(/^.*@/, '')}${path}`
  return { scheme: kind, place, host, port: port === '' ? (kind === 'https' ? 443 : 80) : Number(port) }
}
