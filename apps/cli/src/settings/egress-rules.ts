import { type EgressRule, egressRule } from '@berth/contract'
import { InvalidArgumentError } from 'commander'
import { ExitError } from '../exit-code.ts'

export interface RuleFlags {
  scheme?: 'https' | 'http'
  method?: string[]
  path?: string[]
  header?: Record<string, string>
}

type Place = Pick<EgressRule, 'host' | 'port'>

/** Reads `host` or `host:port`. */
export const readPlace = (text: string): Place => {
  const [, host = text, port] = /^(.*?[^:]|\[.*\])(?::(\d{1,5}))?$/.exec(text) ?? []
  return { host: host.toLowerCase(), ...(port === undefined ? {} : { port: Number(port) }) }
}

/** A rule as words on a command line say it. Throws an ExitError for what is none. */
export const readRule = (place: string, { scheme, method, path, header }: RuleFlags): EgressRule => {
  const parsed = egressRule.safeParse({
    ...readPlace(place),
    scheme: scheme === 'https' ? undefined : scheme,
    methods: method?.map((name) => name.toUpperCase()),
    paths: path,
    headers: header,
  })
  if (parsed.success) return JSON.parse(JSON.stringify(parsed.data)) as EgressRule
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
  throw new ExitError('usage', `This is no rule. ${problems.join('; ')}.`)
}

/** Adds `Name: value` to a map. */
export const collectHeader = (
  text: string,
  before: Record<string, string> | undefined,
): Record<string, string> => {
  const [, name, value] = /^([^:\s]+):\s*(.+)$/.exec(text) ?? []
  if (name === undefined || value === undefined)
    throw new InvalidArgumentError('expected a header such as "Authorization: Bearer …".')
  return { ...before, [name]: value }
}

const placeKey = ({ host, port, scheme = 'https' }: EgressRule): string =>
  `${scheme}://${host}:${port ?? (scheme === 'https' ? 443 : 80)}`

/** Two rules for the same place and paths: the later one is meant. */
const ruleKey = (rule: EgressRule): string => `${placeKey(rule)} ${(rule.paths ?? []).join(' ')}`

/** The rules with one more, in the place of one for the same host and paths. */
export const withRule = (rules: readonly EgressRule[], rule: EgressRule): EgressRule[] => {
  const at = rules.findIndex((other) => ruleKey(other) === ruleKey(rule))
  return at === -1 ? [...rules, rule] : rules.with(at, rule)
}

/** The rules without those for a host, or for one port of it. */
export const withoutHost = (rules: readonly EgressRule[], text: string): EgressRule[] => {
  const { host, port } = readPlace(text)
  return rules.filter((rule) => rule.host !== host || (port !== undefined && rule.port !== port))
}
