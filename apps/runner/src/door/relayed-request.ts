import type { IncomingHttpHeaders } from 'node:http'
import { gitRuleFor } from './git-request.ts'

/** What the door does with a request of the agent. */
export type DoorRule =
  | { do: 'relay'; path: string }
  | { do: 'git'; path: string }
  | { do: 'answer'; status: 200 }
  | { do: 'refuse'; status: 403 | 404 | 405; message: string }

const relayed: { method: string; path: RegExp }[] = [
  { method: 'POST', path: /^\/v1\/messages(\/count_tokens)?$/ },
  { method: 'GET', path: /^\/v1\/models(\/[A-Za-z0-9][A-Za-z0-9._:@-]{0,127})?$/ },
]

/** A query is passed on only when nothing in it could change the path behind the relay. */
const query = /^\?[A-Za-z0-9._~=&%+-]{0,500}$/

/** Where a request goes. Everything that isn't named is refused: the door is no way into the backend's other routes. */
export const ruleFor = (method: string, target: string): DoorRule => {
  const mark = target.indexOf('?')
  const path = mark === -1 ? target : target.slice(0, mark)
  const search = mark === -1 ? '' : target.slice(mark)
  // Claude Code looks at start whether anything answers.
  if (path === '/' && (method === 'HEAD' || method === 'GET')) return { do: 'answer', status: 200 }
  const git = gitRuleFor(method, path, search)
  if (git !== undefined) return git
  const known = relayed.filter((route) => route.path.test(path))
  if (known.length === 0) return refuse(404, `There is nothing at ${path.slice(0, 200)}.`)
  if (!known.some((route) => route.method === method)) return refuse(405, `${path} does not take ${method}.`)
  if (search !== '' && !query.test(search))
    return refuse(403, 'The query has characters that are not passed on.')
  return { do: 'relay', path: `/runner/model${path}${search}` }
}

const refuse = (status: 403 | 404 | 405, message: string): DoorRule => ({ do: 'refuse', status, message })

/** Headers that a model request needs; all others, above all the agent's idea of who it is, stay inside. */
const passed =
  /^(accept|content-type|content-encoding|user-agent|anthropic-[a-z-]+|x-stainless-[a-z-]+|x-app)$/

/** The headers for the backend: what the model needs, the runner's token, and the turn. */
export const relayedHeaders = (
  headers: IncomingHttpHeaders,
  { token, turn }: { token: string; turn: string | undefined },
): Record<string, string> => {
  const result: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers))
    if (passed.test(name) && value !== undefined)
      result[name] = Array.isArray(value) ? value.join(', ') : value
  result.authorization = `Bearer ${token}`
  if (turn !== undefined) result['berth-turn'] = turn
  return result
}

/** Names the turn that the backend has paused. */
export const pausedHeader = 'berth-paused'

/** Headers of a response that concern one connection, or that the agent has no use for. */
const dropped = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'set-cookie',
  pausedHeader,
])

export const returnedHeaders = (
  headers: Record<string, string | string[] | undefined>,
): Record<string, string | string[]> => {
  const result: Record<string, string | string[]> = {}
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && !dropped.has(name.toLowerCase())) result[name] = value
  return result
}

const errorTypes: Record<number, string> = {
  403: 'permission_error',
  404: 'not_found_error',
  405: 'invalid_request_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  502: 'api_error',
  503: 'overloaded_error',
}

/** An error as the Messages API words it. */
export const modelError = (status: number, message: string): string =>
  JSON.stringify({ type: 'error', error: { type: errorTypes[status] ?? 'api_error', message } })
