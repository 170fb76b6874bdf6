import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { examples, type JsonOptions, jsonOption, type ProjectOptions, projectOption } from '../options.ts'
import { type McpServers, renderMcp } from '../render/mcp.ts'
import { findSession, sessionArgument } from '../session-ref.ts'
import { safeJson } from '../terminal/safe-text.ts'

export const addMcp = (program: Command, context: Context): void => {
  const command = program
    .command('mcp')
    .summary('show a session’s MCP servers')
    .description(
      'Shows the MCP servers of a session as its agent saw them last: status, where each comes from, its tools.',
    )
    .argument('<session>', sessionArgument)
    .addOption(projectOption())
    .addOption(jsonOption('the servers'))
    .action((text: string, options: ProjectOptions & JsonOptions) => showMcp(context, text, options))
  examples(command, ['berth mcp last', 'berth mcp last --json'])
}

const showMcp = async (
  { client, out }: Context,
  text: string,
  { project, json }: ProjectOptions & JsonOptions,
): Promise<void> => {
  const session = await findSession(text, { client, project })
  let servers: McpServers = []
  // The log has it as it changed; the last word counts.
  for await (const event of client.events(session.project, session.id, { follow: false }))
    if (event.type === 'agent.mcp') servers = event.data.servers
  out.line(json === true ? safeJson(servers) : renderMcp(servers, { width: out.columns(), style: out.style }))
}
