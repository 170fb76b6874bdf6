import type { EventData } from '@berth/contract'
import { safeLine } from '../terminal/safe-text.ts'
import type { Style } from '../terminal/style.ts'
import { wrap } from './wrap.ts'

export type McpServers = EventData<'agent.mcp'>['servers']

const paints: Record<McpServers[number]['status'], keyof Pick<Style, 'green' | 'red' | 'yellow' | 'dim'>> = {
  connected: 'green',
  failed: 'red',
  'needs-auth': 'red',
  pending: 'yellow',
  disabled: 'dim',
}

/** The MCP servers of a session, each with its tools. */
export const renderMcp = (servers: McpServers, { width, style }: { width: number; style: Style }): string => {
  if (servers.length === 0) return 'This session has no MCP servers.'
  return servers
    .map(({ name, status, origin, error, tools }) => {
      const from = origin === undefined || origin === 'settings' ? '' : style.dim(` (of the ${origin})`)
      const head = `${style[paints[status]](status.padEnd(10))} ${style.bold(safeLine(name))}${from}`
      const names = tools.map((tool) => safeLine(tool.name)).join(', ')
      const more = [error === undefined ? '' : safeLine(error), names].filter((text) => text !== '')
      return [head, ...more.map((text) => wrap(`           ${text}`, width, 11))].join('\n')
    })
    .join('\n')
}
