import type { EgressRequestHead } from '@berth/contract'

type Pairs = EgressRequestHead['headers']

/** Concerns one connection, says where a message ends, or tells who is asking by which way. */
const dropped =
  /^(host|connection|content-length|transfer-encoding|expect|keep-alive|te|trailer|upgrade|via|forwarded|x-forwarded-.*|x-real-ip|proxy-.*|http2-settings|berth-.*|:.*)$/

/** Of a request whose answer is searched for values, what would have it come compressed or in pieces. */
const whole = /^(accept-encoding|range|if-range)$/

const nameForm = /^[!#$%&'*+.^_`|~0-9a-z-]{1,200}$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
const valueForm = /^[^\x00-\x08\x0a-\x1f\x7f]*$/

/** The names that a `Connection` header lists. */
const hops = (headers: Pairs): Set<string> =>
  new Set(
    headers
      .filter(([name]) => name.toLowerCase() === 'connection')
      .flatMap(([, value]) =>
        value
          .toLowerCase()
          .split(',')
          .map((name) => name.trim()),
      ),
  )

/** Some servers take `x_y` for `x-y`. */
const folded = (name: string): string => name.replaceAll('_', '-')

/**
 * What a host is sent, name and value by turns: the agent's headers but for those that are not its to say, and the project's
 * own in the place of its. Undefined: the agent's have no form that is passed on.
 */
export const requestHeaders = (
  asked: Pairs,
  added: Readonly<Record<string, string>>,
): string[] | undefined => {
  const own = Object.entries(added).map(([name, value]) => [name.toLowerCase(), value] as const)
  const ours = new Set(own.map(([name]) => folded(name)))
  const listed = hops(asked)
  const headers: string[] = []
  for (const [written, value] of asked) {
    const name = written.toLowerCase()
    if (!nameForm.test(name) || !valueForm.test(value)) return undefined
    if (dropped.test(name) || listed.has(name) || ours.has(folded(name))) continue
    if (own.length > 0 && whole.test(name)) continue
    headers.push(name, value)
  }
  if (own.length > 0) headers.push('accept-encoding', 'identity')
  for (const [name, value] of own) headers.push(name, value)
  return headers
}

/** Whether a header of a rule can be sent with this value. */
export const isHeaderValue = (value: string): boolean => /^[\x20-\x7e\x80-\xff]*$/.test(value)

const kept =
  /^(connection|keep-alive|te|trailer|transfer-encoding|upgrade|alt-svc|proxy-.*|berth-.*|http2-settings)$/

export interface AnswerOptions {
  /** Values that the agent must not see. Empty: the answer is passed on as it is. */
  hidden: readonly string[]
}

/** What of an answer's headers goes to the agent, with values hidden. */
export const answerHeaders = (
  headers: Readonly<Record<string, string | string[] | undefined>>,
  { hidden }: AnswerOptions,
): Pairs => {
  const isSearched = hidden.length > 0
  const names = Object.entries(headers).filter(
    ([name]) =>
      !kept.test(name) &&
      // What is hidden changes the length; and a login that the secret paid for is not the agent's to keep.
      !(
        isSearched &&
        /^(content-length|content-encoding|content-md5|digest|etag|set-cookie|accept-ranges)$/.test(name)
      ),
  )
  return names.flatMap(([name, value]) =>
    [value ?? []].flat().map((one): [string, string] => [name, hide(one, hidden)]),
  )
}

const hide = (text: string, values: readonly string[]): string =>
  values.reduce((rest, value) => (value === '' ? rest : rest.replaceAll(value, '[hidden]')), text)
