import type { McpChannel, McpRelay } from '@berth/agent'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js'
import { maxMcpTools } from './mcp-limits.ts'

export interface McpRelayOptions {
  backendUrl: string
  token: string
  name: string
}

/**
 * The way to an MCP server on the network: through the backend, which knows its address and its headers. Nothing of
 * either is here, or in the sandbox.
 */
export const createMcpRelay = ({ backendUrl, token, name }: McpRelayOptions): McpRelay => ({
  open(receive) {
    const url = new URL(`${backendUrl}/runner/mcp/${encodeURIComponent(name)}`)
    const transport = new StreamableHTTPClientTransport(url, {
      requestInit: { headers: { authorization: `Bearer ${token}` }, redirect: 'error' },
    })
    const bounded = boundTools(receive)
    transport.onmessage = bounded
    const started = transport.start()
    const channel: McpChannel = {
      async send(message) {
        await started
        await transport.send(message as JSONRPCMessage).catch((error) => {
          throw new Error(wordsOf(error))
        })
      },
      async close() {
        await transport.terminateSession().catch(() => undefined)
        await transport.close()
      },
    }
    return channel
  },
})

/** Tools beyond a number are left out, and endless pages of them end. */
const boundTools = (receive: (message: unknown) => void) => {
  let pages = 0
  let count = 0
  return (message: unknown) => {
    const result = (message as { result?: { tools?: unknown; nextCursor?: unknown } } | undefined)?.result
    if (result === undefined || !Array.isArray(result.tools)) return receive(message)
    const { nextCursor, ...rest } = result
    const tools = result.tools.slice(0, Math.max(0, maxMcpTools - count))
    pages += 1
    count += result.tools.length
    const more = nextCursor !== undefined && count < maxMcpTools && pages < maxMcpTools
    if (!more) {
      pages = 0
      count = 0
    }
    receive({ ...(message as object), result: { ...rest, tools, ...(more ? { nextCursor } : {}) } })
  }
}

/** The backend's own words where it has some. */
const wordsOf = (error: unknown): string => {
  const message = error instanceof Error ? error.message : String(error)
  const detail = /"detail":"((?:[^"\\]|\\.)*)"/.exec(message)?.[1]
  return (detail === undefined ? message : detail.replaceAll('\\"', '"')).slice(0, 1000)
}
