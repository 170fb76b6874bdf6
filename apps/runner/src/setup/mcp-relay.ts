import type { McpChannel, McpRelay } from '@berth/agent'
import { boundedText, messagesIn } from './mcp-answer.ts'
import { maxMcpTools } from './mcp-limits.ts'

export interface McpRelayOptions {
  backendUrl: string
  token: string
  name: string
  /** How long a server may take to say who it is and what it has, in ms. Default: 5 s. */
  startMs?: number
}

/** Requests that Claude Code makes before it takes the first prompt: no server may hold it up. */
const startRequests = new Set(['initialize', 'tools/list', 'prompts/list', 'resources/list'])

/** In all, a little longer than the backend gives a server. */
const totalMs = 920_000

interface Rpc {
  id?: unknown
  method?: unknown
  result?: { tools?: unknown; nextCursor?: unknown; protocolVersion?: unknown }
}

const rpcOf = (message: unknown): Rpc => (typeof message === 'object' && message !== null ? message : {})

/**
 * The way to an MCP server on the network (streamable HTTP): through the backend, which knows its address and its headers.
 * Nothing of either is here, or in the sandbox. A request whose answer breaks off is answered with an error.
 */
export const createMcpRelay = (options: McpRelayOptions): McpRelay => {
  let lastError: string | undefined
  return {
    get lastError() {
      return lastError
    },
    open(receive) {
      const { startMs = 5000 } = options
      const over = new AbortController()
      const bounded = boundTools(receive)
      const session: Session = { headers: {} }

      const send = async (message: unknown) => {
        const { id, method } = rpcOf(message)
        const ms = startRequests.has(String(method)) ? startMs : totalMs
        const signal = AbortSignal.any([over.signal, AbortSignal.timeout(ms)])
        const response = await post(options, { session, signal, body: JSON.stringify(message) })
        if (response.status === 202 || id === undefined || method === undefined)
          return void response.body?.cancel()
        for await (const answer of messagesIn(response)) {
          const { id: answered, method: asked, result } = rpcOf(answer)
          const done = asked === undefined && answered === id
          if (done && method === 'initialize') introduce(session, response, result?.protocolVersion)
          bounded(answer)
          if (done) return
        }
        throw new Error('The MCP server ended its answer in the middle.')
      }
      const channel: McpChannel = {
        send: (message) =>
          send(message).catch((error) => {
            lastError = wordsOf(options.name, error)
            throw new Error(lastError)
          }),
        async close() {
          over.abort()
          if (session.headers['mcp-session-id'] === undefined) return
          const signal = AbortSignal.timeout(2000)
          await post(options, { session, signal, method: 'DELETE' }).then((response) =>
            response.body?.cancel(),
          )
        },
      }
      return channel
    },
  }
}

interface Session {
  /** What the server wants to hear again with each request. */
  headers: Record<string, string>
}

interface Post {
  session: Session
  signal: AbortSignal
  body?: string
  method?: 'POST' | 'DELETE'
}

const post = async (
  { backendUrl, token, name }: McpRelayOptions,
  { session, signal, body, method = 'POST' }: Post,
): Promise<Response> => {
  const response = await fetch(`${backendUrl}/runner/mcp/${encodeURIComponent(name)}`, {
    method,
    signal,
    redirect: 'error',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...session.headers,
    },
    ...(body === undefined ? {} : { body }),
  })
  if (response.ok) return response
  throw new Error(problemIn(await boundedText(response), response.status))
}

const introduce = (session: Session, response: Response, version: unknown): void => {
  const id = response.headers.get('mcp-session-id')
  session.headers = {
    ...(id === null ? {} : { 'mcp-session-id': id }),
    ...(typeof version === 'string' && /^[\w.-]{1,50}$/.test(version)
      ? { 'mcp-protocol-version': version }
      : {}),
  }
}

/** Tools beyond a number are left out, and endless pages of them end. */
const boundTools = (receive: (message: unknown) => void) => {
  let pages = 0
  let count = 0
  return (message: unknown) => {
    const { result } = rpcOf(message)
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
const problemIn = (text: string, status: number): string => {
  try {
    const { detail } = JSON.parse(text) as { detail?: unknown }
    if (typeof detail === 'string') return detail
  } catch {
    // Not the backend's: the server's own words.
  }
  return `The MCP server answered with status ${status}: ${text.slice(0, 300)}`
}

const wordsOf = (name: string, error: unknown): string => {
  if (!(error instanceof Error)) return String(error).slice(0, 1000)
  if (error.name === 'TimeoutError') return `The MCP server ${name} did not answer in time.`
  return (
    error.message === 'terminated' ? `The answer of the MCP server ${name} was cut.` : error.message
  ).slice(0, 1000)
}
