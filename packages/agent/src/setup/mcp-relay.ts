/** One way from Claude Code to an MCP server: JSON-RPC messages in both directions. */
export interface McpChannel {
  /** A message of Claude Code. Rejects when it could not be passed on. */
  send(message: unknown): Promise<void>
  close(): Promise<void>
}

/** An MCP server elsewhere that this process passes messages to, because Claude Code can't reach it. */
export interface McpRelay {
  /** Opens a way; `receive` gets what the server says. May be called again after a close. */
  open(receive: (message: unknown) => void): McpChannel
  /** Why the last message got no answer. */
  readonly lastError?: string | undefined
}
