import type { McpSdkServerConfigWithInstance } from '@anthropic-ai/claude-agent-sdk'
import { fieldsOf, isFields } from '../fields.ts'
import type { McpChannel, McpRelay } from './mcp-relay.ts'

type Instance = McpSdkServerConfigWithInstance['instance']

/** The SDK's end of the way to a server "in this process". */
interface SdkTransport {
  onmessage?: (message: unknown) => void
  onclose?: () => void
  start(): Promise<void>
  send(message: unknown): Promise<void>
}

/** An error in answer to a request, so that Claude Code does not wait for one; notifications get none. */
const failure = (message: unknown, error: unknown) => {
  const { id, method } = fieldsOf(message)
  if (id === undefined || typeof method !== 'string') return undefined
  const text = error instanceof Error ? error.message : String(error)
  return { jsonrpc: '2.0', id, error: { code: -32_000, message: text.slice(0, 1000) } }
}

/**
 * A server for the SDK that only passes messages on. The SDK types its parameter as a whole server, but uses nothing of it
 * but `connect`.
 */
export const relayedServer = (name: string, relay: McpRelay): McpSdkServerConfigWithInstance => {
  const connect = async (transport: SdkTransport) => {
    let channel: McpChannel | undefined = relay.open((message) => {
      if (isFields(message)) void transport.send(message).catch(() => undefined)
    })
    transport.onmessage = (message) => {
      channel?.send(message).catch((error) => {
        const answer = failure(message, error)
        if (answer !== undefined) void transport.send(answer).catch(() => undefined)
      })
    }
    const { onclose } = transport
    transport.onclose = () => {
      onclose?.()
      const open = channel
      channel = undefined
      void open?.close().catch(() => undefined)
    }
    await transport.start()
  }
  return { type: 'sdk', name, instance: { connect } as unknown as Instance }
}
