/** Bytes of one message of an MCP server. */
export const maxMcpMessage = 8 * 1024 * 1024

/** Tools of one MCP server; more are left out. */
export const maxMcpTools = 500
