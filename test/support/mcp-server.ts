import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

/** A small MCP server on standard input and output, as arguments of `node`: one tool, that shouts. */
export const shoutingServer = (
  /** JavaScript that runs for each message `m`, before the answer; `return` leaves it unanswered. */
  first = '',
): { command: string; args: string[] } => ({
  command: 'node',
  args: [
    '-e',
    `
const say = (message) => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\\n')
const on = (m) => {
  ${first}
  const answer = (result) => say({ id: m.id, result })
  if (m.method === 'initialize')
    answer({ protocolVersion: m.params.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 't', version: '1' } })
  if (m.method === 'tools/list')
    answer({ tools: [{ name: 'shout', description: 'Says it loudly', inputSchema: { type: 'object', properties: { text: { type: 'string' } } } }] })
  if (m.method === 'tools/call')
    answer({ content: [{ type: 'text', text: m.params.arguments.text.toUpperCase() + (process.env.MARK ?? '') }] })
}
let buffer = ''
process.stdin.on('data', (chunk) => {
  buffer += chunk
  for (let at = buffer.indexOf('\\n'); at >= 0; at = buffer.indexOf('\\n')) {
    on(JSON.parse(buffer.slice(0, at)))
    buffer = buffer.slice(at + 1)
  }
})`,
  ],
})

interface Message {
  id?: number
  method?: string
  params?: { protocolVersion?: string; arguments?: { text?: string } }
}

/** What a server answers to a message; undefined: nothing. */
const answerTo = ({ method, params }: Message): object | undefined => {
  if (method === 'initialize')
    return {
      protocolVersion: params?.protocolVersion,
      capabilities: { tools: {} },
      serverInfo: { name: 'h', version: '1' },
    }
  if (method === 'tools/list')
    return { tools: [{ name: 'whisper', description: 'Says it quietly', inputSchema: { type: 'object' } }] }
  if (method === 'tools/call')
    return { content: [{ type: 'text', text: (params?.arguments?.text ?? '').toLowerCase() }] }
  return undefined
}

export interface HttpMcpServer {
  url: string
  /** The headers and messages that came. */
  requests: { headers: IncomingMessage['headers']; body: string }[]
  /** Answers in the place of the server; true: it did. */
  instead: (message: Message, response: ServerResponse) => boolean
  close(): Promise<void>
}

/** An MCP server over HTTP that answers as an event stream, and wants its session's id. */
export const startHttpMcpServer = async (): Promise<HttpMcpServer> => {
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      it.requests.push({ headers: request.headers, body })
      if (request.method !== 'POST') return response.writeHead(405).end()
      const message = JSON.parse(body) as Message
      if (it.instead(message, response)) return
      const result = answerTo(message)
      if (result === undefined) return response.writeHead(202).end()
      response.writeHead(200, { 'content-type': 'text/event-stream', 'mcp-session-id': 'one' })
      response.end(`event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', id: message.id, result })}\n\n`)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const it: HttpMcpServer = {
    url: `http://127.0.0.1:${port}/mcp`,
    requests: [],
    instead: () => false,
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
  return it
}
