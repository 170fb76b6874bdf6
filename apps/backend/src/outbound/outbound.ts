import { Agent, type Dispatcher } from 'undici'
import { guardedConnector, PrivateAddress, type Resolve } from './guarded-connector.ts'
import { parsePrivateHosts, type Reach } from './private-hosts.ts'

export interface AgentLimits {
  /** Until an answer begins, and between two pieces of it; in ms. */
  headersMs: number
  idleMs: number
  /** Which addresses may be asked. Default: public ones, and those of hosts that the operator opens. */
  reach?: Reach
}

/** A request whose answer is small. */
export interface SmallRequest {
  method?: 'GET' | 'POST' | 'DELETE'
  headers?: Record<string, string>
  body?: string | Buffer
  /** Default: 1 MiB. */
  maxBytes?: number
  /** Until all of the answer is there. Default: 30,000. */
  totalMs?: number
  signal?: AbortSignal
}

export interface SmallAnswer {
  status: number
  headers: Dispatcher.ResponseData['headers']
  body: Buffer
}

/**
 * The one way out of the backend to addresses that somebody else than the operator names. Names are resolved for each
 * connection, and private, link-local and metadata addresses are refused (PrivateAddress) unless the operator opens the host.
 */
export interface Outbound {
  /** An agent for one use of one's own. It follows no redirect, and is closed with the rest. */
  agent(limits: AgentLimits): Agent
  /** Asks once and reads the whole answer. Follows no redirect. Rejects when it is too large or takes too long. */
  ask(url: URL, request?: SmallRequest): Promise<SmallAnswer>
  close(): Promise<void>
}

export interface OutboundOptions {
  /** As `parsePrivateHosts` reads them. Default: none. */
  privateHosts?: readonly string[]
  /** Default: the system's. */
  resolve?: Resolve
}

const smallAnswer = 1024 * 1024
const smallMs = 30_000

export const createOutbound = ({ privateHosts = [], resolve }: OutboundOptions = {}): Outbound => {
  const opened = parsePrivateHosts(privateHosts)
  const agents: Agent[] = []
  const agent = ({ headersMs, idleMs, reach = opened }: AgentLimits): Agent => {
    const made = new Agent({
      headersTimeout: headersMs,
      bodyTimeout: idleMs,
      maxHeaderSize: 32 * 1024,
      connect: guardedConnector({ reach, timeoutMs: 10_000, resolve }),
    })
    agents.push(made)
    return made
  }
  const small = agent({ headersMs: smallMs, idleMs: smallMs })
  return {
    agent,
    ask: (url, request = {}) => askSmall(small, url, request),
    close: async () => void (await Promise.all(agents.map((one) => one.destroy()))),
  }
}

const askSmall = async (agent: Agent, url: URL, request: SmallRequest): Promise<SmallAnswer> => {
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new TypeError(`${url.protocol} is no way to ask a server`)
  const { method = 'GET', headers, body, maxBytes = smallAnswer, totalMs = smallMs, signal } = request
  const timeout = AbortSignal.timeout(totalMs)
  const answer = await agent.request({
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method,
    headers: { 'accept-encoding': 'identity', ...headers },
    body: body ?? null,
    signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
  })
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of answer.body) {
    size += chunk.length
    if (size > maxBytes) throw new RangeError(`The answer is larger than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return { status: answer.statusCode, headers: answer.headers, body: Buffer.concat(chunks) }
}

/** Whether a request failed because its host may not be asked; undici may hide it among the attempts. */
export const privateAddressOf = (error: unknown): PrivateAddress | undefined => {
  const cause = error instanceof AggregateError ? error.errors[0] : error
  return cause instanceof PrivateAddress ? cause : undefined
}
