import type { StdioMcpServer } from '@berth/agent'

/**
 * Runs a server behind a guard, inside the sandbox: what it writes is bounded before Claude Code has to keep it. The
 * server's own words are arguments of the guard, so nothing of them is read as code.
 */
export const guardedServer = (
  { command, args, env }: StdioMcpServer,
  { node, guard }: { node: string; guard: string },
): StdioMcpServer => ({ command: node, args: [guard, command, ...args], env })
