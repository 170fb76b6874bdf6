import type { IncomingHttpHeaders } from 'node:http'
import type { DoorRule } from './relayed-request.ts'

const place = /^\/git\/(https|http)\/[A-Za-z0-9._~!$&'()*+,;=:@%/[\]-]{1,2000}$/
/** Parts that something between the door and the backend could take as a way up, or out. */
const oddPart = /\/(?:\.|%2e){0,2}(?=\/|$)/i

const asks = /^\?service=git-(upload|receive)-pack$/

/** What the door does with a request of git; undefined: it is none. What may be read and written is the backend's to say. */
export const gitRuleFor = (method: string, path: string, search: string): DoorRule | undefined => {
  if (!path.startsWith('/git/')) return undefined
  const refuse = (status: 404 | 405, message: string): DoorRule => ({ do: 'refuse', status, message })
  if (!place.test(path) || oddPart.test(path)) return refuse(404, 'This is no address of a repository.')
  const isRefs = path.endsWith('/info/refs') && asks.test(search)
  const isCall = /\/git-(upload|receive)-pack$/.test(path) && search === ''
  if (!isRefs && !isCall) return refuse(404, 'Only git’s own requests are passed on.')
  if (method !== (isRefs ? 'GET' : 'POST'))
    return refuse(405, `git does not ask this with ${method.slice(0, 20)}.`)
  return { do: 'git', path: `/runner${path}${search}` }
}

const passed = ['accept', 'content-type', 'content-encoding', 'content-length', 'git-protocol', 'user-agent']
const returned = ['content-type', 'content-encoding']

/** The headers for the backend: the few that git needs, and the runner's token. */
export const gitHeaders = (headers: IncomingHttpHeaders, token: string): Record<string, string> => ({
  ...pick(headers, passed),
  authorization: `Bearer ${token}`,
})

/** The headers for git. An address of the backend becomes one of the door. */
export const gitHeadersBack = (
  headers: Record<string, string | string[] | undefined>,
): Record<string, string> => {
  const { location } = headers
  const moved: Record<string, string> =
    typeof location === 'string' ? { location: location.replace(/^\/runner(?=\/git\/)/, '') } : {}
  return { ...pick(headers, returned), ...moved }
}

const pick = (
  headers: Record<string, string | string[] | undefined>,
  names: readonly string[],
): Record<string, string> =>
  Object.fromEntries(
    names.flatMap((name) => {
      const value = headers[name]
      return typeof value === 'string' ? [[name, value]] : []
    }),
  )

/** An error as git prints it. */
export const gitError = (message: string): string => `berth: ${message}\n`
