import type { CustomAgent, EffectiveSettings, McpServer } from '@berth/contract'
import type { McpRelay } from './mcp-relay.ts'

/** An MCP server that Claude Code starts beside itself. */
export type StdioMcpServer = Omit<Extract<McpServer, { type: 'stdio' }>, 'type'>

/** How Claude Code is set up, beyond model, instructions and permissions. */
export interface AgentSetup {
  /** Holds what `setupFiles` says, at a path as Claude Code sees it. Without it there are no commands, skills and hooks. */
  directory?: string
  /** More directories whose `CLAUDE.md` and `.claude/` (agents, commands, skills) count, e.g. a workflow's. */
  added?: readonly string[]
  /** What of the repository counts. Default: its `CLAUDE.md` and `.claude/`, but neither its hooks nor its MCP servers. */
  repository?: { config: boolean; hooks: boolean; mcp: boolean }
  /** Subagents by name. */
  agents?: Record<string, CustomAgent>
  /** Built-in tools. Default: all. */
  tools?: readonly string[]
  permissionMode?: EffectiveSettings['permissionMode']
  fallbackModel?: string
  effort?: NonNullable<EffectiveSettings['effort']>
  /** Tokens of thinking in one answer; 0: none. Default: the model's own. */
  thinkingTokens?: number
  /** MCP servers that Claude Code starts, by name. */
  mcpServers?: Record<string, StdioMcpServer>
  /** MCP servers that are reached through this process, by name. */
  relayedMcpServers?: Record<string, McpRelay>
  /** Those of the servers that a workflow brings, to be told as such. */
  workflowMcpServers?: readonly string[]
  /** MCP servers that are left out, to be told as such. */
  disabledMcpServers?: readonly string[]
}

/** What of the repository counts: hooks and MCP servers only together with the rest of its configuration. */
export const repositoryTrust = ({
  repository,
}: AgentSetup): { config: boolean; hooks: boolean; mcp: boolean } => {
  const { config, hooks, mcp } = repository ?? { config: true, hooks: false, mcp: false }
  return { config, hooks: config && hooks, mcp: config && mcp }
}
