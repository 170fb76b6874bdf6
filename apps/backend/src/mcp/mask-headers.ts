import type { EgressRule, Settings } from '@berth/contract'

/** Stands for the value of a header where it may not be seen. */
const maskedHeader = '***'

type Servers = NonNullable<Settings['mcpServers']>

/** Settings without the values of the headers that go to MCP servers and to hosts of egress rules. */
export const maskHeaders = <S extends Pick<Settings, 'mcpServers' | 'egress'>>(settings: S): S => {
  const { mcpServers, egress } = settings
  return {
    ...settings,
    ...(mcpServers === undefined ? {} : { mcpServers: maskServers(mcpServers) }),
    ...(egress === undefined ? {} : { egress: egress.map(maskRule) }),
  }
}

const maskServers = (all: Servers): Servers =>
  Object.fromEntries(
    Object.entries(all).map(([name, server]) => [
      name,
      server.type === 'http' ? { ...server, headers: masked(server.headers) } : server,
    ]),
  )

const maskRule = (rule: EgressRule): EgressRule =>
  rule.headers === undefined ? rule : { ...rule, headers: masked(rule.headers) }

const masked = (headers: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.keys(headers).map((header) => [header, maskedHeader]))
