import type { Settings } from '@berth/contract'

/** Stands for the value of a header where it may not be seen. */
const maskedHeader = '***'

type Servers = NonNullable<Settings['mcpServers']>

/** Settings without the values of the headers that go to MCP servers. */
export const maskHeaders = <S extends { mcpServers?: Servers }>(settings: S): S => {
  if (settings.mcpServers === undefined) return settings
  const servers = Object.entries(settings.mcpServers).map(([name, server]) => {
    if (server.type !== 'http') return [name, server]
    const headers = Object.keys(server.headers).map((header) => [header, maskedHeader])
    return [name, { ...server, headers: Object.fromEntries(headers) }]
  })
  return { ...settings, mcpServers: Object.fromEntries(servers) }
}
