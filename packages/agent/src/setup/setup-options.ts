import { posix } from 'node:path'
import type { Options } from '@anthropic-ai/claude-agent-sdk'
import { type AgentSetup, repositoryTrust } from './agent-setup.ts'
import { relayedServer } from './relayed-server.ts'
import { hooksPlugin, settingsFile } from './setup-files.ts'

/** Surfaces on which nothing of a repository counts, only what comes with the set-up itself. */
export const closedSurfaces = (setup: AgentSetup): ('hooks' | 'mcp')[] => {
  const { hooks, mcp } = repositoryTrust(setup)
  return [...(hooks ? [] : ['hooks' as const]), ...(mcp ? [] : ['mcp' as const])]
}

/**
 * Where Claude Code reads a project's configuration. With the set-up directory in the repository's place nothing of the
 * repository's `settings.json` counts at all, which could start programs by more than hooks; its agents, commands and
 * skills then come from an added directory. Where its hooks or MCP servers are wanted, it keeps its place.
 */
const sources = (workspace: string, setup: AgentSetup): Partial<Options> => {
  const { directory, added = [] } = setup
  const { config, hooks, mcp } = repositoryTrust(setup)
  if (directory === undefined)
    return { settingSources: config ? ['project'] : [], additionalDirectories: [...added] }
  const common: Partial<Options> = {
    settingSources: ['project'],
    settings: posix.join(directory, settingsFile),
    plugins: [{ type: 'local', path: posix.join(directory, hooksPlugin) }],
  }
  if (hooks || mcp) return { ...common, additionalDirectories: [directory, ...added] }
  return {
    ...common,
    projectConfigRoot: directory,
    additionalDirectories: [...(config ? [workspace] : []), ...added],
  }
}

const thinkingOf = (tokens: number | undefined): Options['thinking'] => {
  if (tokens === undefined) return undefined
  return tokens === 0 ? { type: 'disabled' } : { type: 'enabled', budgetTokens: tokens }
}

const agentsOf = ({ agents = {} }: AgentSetup): Options['agents'] =>
  Object.fromEntries(
    Object.entries(agents).map(([name, agent]) => [name, { ...agent, model: agent.model ?? 'inherit' }]),
  )

const serversOf = ({ mcpServers = {}, relayedMcpServers = {} }: AgentSetup): Options['mcpServers'] => ({
  ...Object.fromEntries(
    Object.entries(mcpServers).map(([name, { command, args, env }]) => [
      name,
      { type: 'stdio' as const, command, args, env },
    ]),
  ),
  ...Object.fromEntries(
    Object.entries(relayedMcpServers).map(([name, relay]) => [name, relayedServer(name, relay)]),
  ),
})

/** The SDK's options for a set-up. What it leaves open stays Claude Code's default. */
export const setupOptions = (workspace: string, setup: AgentSetup): Partial<Options> => {
  const { tools = [], fallbackModel, effort, thinkingTokens } = setup
  return {
    ...sources(workspace, setup),
    ...(tools.length === 0 ? {} : { tools: [...tools] }),
    ...(setup.permissionMode === 'plan' ? { permissionMode: 'plan' } : {}),
    fallbackModel,
    effort,
    thinking: thinkingOf(thinkingTokens),
    agents: agentsOf(setup),
    mcpServers: serversOf(setup),
    // Over its input: the command line of a process can be read by others.
    mcpServersDelivery: 'initialize',
    strictMcpConfig: !repositoryTrust(setup).mcp,
  }
}
