import type { ModelEndpoint } from './providers/provider.ts'

/** What an agent asks for, with the path as the gateway writes it. */
export interface AskedEndpoint {
  endpoint: ModelEndpoint
  method: 'GET' | 'POST'
  path: string
}

const endpoints: readonly {
  pattern: RegExp
  method: 'GET' | 'POST'
  endpoint: ModelEndpoint
  query: string[]
}[] = [
  { pattern: /^\/v1\/messages$/, method: 'POST', endpoint: 'messages', query: ['beta'] },
  { pattern: /^\/v1\/messages\/count_tokens$/, method: 'POST', endpoint: 'count-tokens', query: ['beta'] },
  {
    pattern: /^\/v1\/models$/,
    method: 'GET',
    endpoint: 'models',
    query: ['beta', 'limit', 'before_id', 'after_id'],
  },
  { pattern: /^\/v1\/models\/[A-Za-z0-9][\w.-]*$/, method: 'GET', endpoint: 'model', query: ['beta'] },
]

/** The endpoints that Claude Code needs, and no other: of a query what they know. Undefined: this goes nowhere. */
export const endpointOf = (method: string | undefined, path: string): AskedEndpoint | undefined => {
  const at = path.indexOf('?')
  const pathname = at < 0 ? path : path.slice(0, at)
  const found = endpoints.find((one) => one.method === method && one.pattern.test(pathname))
  if (found === undefined) return undefined
  const given = new URLSearchParams(at < 0 ? '' : path.slice(at + 1))
  const query = new URLSearchParams(
    found.query.flatMap((name): [string, string][] => {
      const value = given.get(name)
      return value === null ? [] : [[name, value.slice(0, 200)]]
    }),
  ).toString()
  return {
    endpoint: found.endpoint,
    method: found.method,
    path: query === '' ? pathname : `${pathname}?${query}`,
  }
}
