import type { IncomingHttpHeaders } from 'node:http'
import { isIP } from 'node:net'
import { BerthError } from '@berth/contract'

const nameOf = (host: string): string => host.replace(/:\d+$/, '').toLowerCase()

/** An address can't be made to point elsewhere, so a page that was loaded from it is ours. Probes have nothing else. */
const isAddress = (name: string): boolean => isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0

/** Names of this machine itself. */
export const isLoopbackHost = (host: string): boolean =>
  /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i.test(host)

/**
 * Refuses a Host that is not one of ours: a page on another site that makes its name point at this machine (DNS
 * rebinding) would otherwise be of our origin.
 */
export const checkHost = (host: string, allowed: readonly string[]): void => {
  const name = nameOf(host)
  if (
    name === 'localhost' ||
    isAddress(name) ||
    allowed.includes(name) ||
    allowed.includes(host.toLowerCase())
  )
    return
  throw new BerthError(
    'host_not_allowed',
    `Berth does not answer to the name ${JSON.stringify(host)}. Add it to BERTH_ALLOWED_HOSTS if it is yours.`,
  )
}

/**
 * Refuses requests that another site's page made (CSRF): by `Origin` where the browser sends it, and by
 * `Sec-Fetch-Site` where it does not. Programs send neither.
 */
export const checkOrigin = (
  { headers, host }: { headers: IncomingHttpHeaders; host: string },
  isNavigation: boolean,
): void => {
  const { origin } = headers
  if (origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== host))
    throw new BerthError('origin_not_allowed', `Pages of ${JSON.stringify(origin)} may not use this API.`)
  const site = headers['sec-fetch-site']
  const foreign = site === 'cross-site' || site === 'same-site'
  if (foreign && !isNavigation)
    throw new BerthError('origin_not_allowed', 'Pages of other sites may not use this API.')
}
