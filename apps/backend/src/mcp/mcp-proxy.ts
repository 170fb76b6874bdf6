import type { IncomingHttpHeaders } from 'node:http'
import { finished, type Readable, Transform } from 'node:stream'
import { BerthError, type EffectiveSettings } from '@berth/contract'
import type { Agent, Dispatcher } from 'undici'
import { type Outbound, privateAddressOf } from '../outbound/outbound.ts'
import type { Secrets } from '../secrets/secrets.ts'
import { OpenCalls } from '../session/open-calls.ts'
import type { SessionService } from '../session/service.ts'
import type { RunnerIdentity, Store } from '../store/port.ts'
import { hideValues } from './hide-values.ts'

/** Bytes of one message to a server. */
export const maxMcpRequest = 4 * 1024 * 1024

export interface McpProxyLimits {
  /** Bytes of one answer. */
  answerBytes: number
  /** Requests of one session at once. */
  atOnce: number
  /** Until an answer begins, between two pieces of it, and in all; in ms. */
  headersMs: number
  idleMs: number
  totalMs: number
}

const standard: McpProxyLimits = {
  answerBytes: 16 * 1024 * 1024,
  atOnce: 16,
  headersMs: 120_000,
  idleMs: 300_000,
  totalMs: 900_000,
}

export interface McpProxyOptions {
  service: SessionService
  store: Store
  outbound: Outbound
  limits?: Partial<McpProxyLimits>
  /** For headers that refer to them. Default: they are sent as they are. */
  secrets?: Pick<Secrets, 'fill'>
}

export interface McpCall {
  runner: RunnerIdentity
  /** The server's name in the settings. */
  name: string
  method: 'POST' | 'DELETE'
  headers: IncomingHttpHeaders
  body: Buffer | undefined
}

export interface McpAnswer {
  status: number
  headers: Record<string, string>
  body: Readable
}

type HttpServer = Extract<EffectiveSettings['mcpServers'][string], { type: 'http' }>

const forwarded = ['content-type', 'accept', 'mcp-session-id', 'mcp-protocol-version', 'last-event-id']
const returned = ['content-type', 'mcp-session-id']

/**
 * The way from a session to an MCP server on the network. The address and the headers are those of the project's settings:
 * neither the runner nor the sandbox learns them, and what the server answers is passed on within limits and without them.
 */
export class McpProxy {
  readonly #options: McpProxyOptions
  readonly #limits: McpProxyLimits
  readonly #agent: Agent
  readonly #open: OpenCalls

  constructor(options: McpProxyOptions) {
    this.#options = options
    this.#limits = { ...standard, ...options.limits }
    this.#open = new OpenCalls(this.#limits.atOnce)
    this.#agent = options.outbound.agent(this.#limits)
  }

  /** Passes a message on. Rejects with `mcp_server_not_found`, `mcp_server_failed` or `mcp_busy`. */
  async call(call: McpCall): Promise<McpAnswer> {
    const server = await this.#server(call)
    const leave = this.#open.enter(call.runner.session, busy)
    try {
      const answer = await this.#ask(call, server)
      refuseRedirect(call.name, answer)
      finished(answer.body, leave)
      return {
        status: answer.statusCode,
        headers: pick(answer.headers, returned),
        body: this.#bounded(answer.body, server),
      }
    } catch (error) {
      leave()
      throw error
    }
  }

  async #server({ runner, name }: McpCall): Promise<HttpServer> {
    const { service, store } = this.#options
    const [state, project] = await Promise.all([
      service.state(runner.session),
      store.projectSettings(runner.project),
    ])
    const { mcpServers, disabledMcpServers } = service.settingsOf(project?.settings, state.settings).values
    const server = Object.hasOwn(mcpServers, name) ? mcpServers[name] : undefined
    if (server?.type === 'http' && !disabledMcpServers.includes(name))
      return this.#filled(server, runner, name)
    throw new BerthError(
      'mcp_server_not_found',
      `The project's settings name no MCP server ${name} on the network.`,
    )
  }

  /** With the values of the secrets that its headers refer to. */
  async #filled(server: HttpServer, { project, session }: RunnerIdentity, name: string): Promise<HttpServer> {
    const { secrets } = this.#options
    if (secrets === undefined) return server
    const use = {
      project,
      session,
      use: `MCP server ${name}`,
      actor: { kind: 'runner' as const, id: session },
    }
    const headers = Object.entries(server.headers).map(async ([header, value]) => [
      header,
      await secrets.fill(value, use),
    ])
    return { ...server, headers: Object.fromEntries(await Promise.all(headers)) }
  }

  async #ask({ name, method, headers, body }: McpCall, server: HttpServer): Promise<Dispatcher.ResponseData> {
    const url = new URL(server.url)
    try {
      return await this.#agent.request({
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        method,
        // The project's own headers last: nothing that the agent makes Claude Code say counts before them.
        headers: { ...pick(headers, forwarded), 'accept-encoding': 'identity', ...lowered(server.headers) },
        body,
        signal: AbortSignal.timeout(this.#limits.totalMs),
      })
    } catch (error) {
      if (privateAddressOf(error) !== undefined)
        throw new BerthError(
          'mcp_server_failed',
          `The MCP server ${name} has no public address. To have Berth reach it, the operator adds ${url.host} to BERTH_PRIVATE_HOSTS.`,
        )
      const code = (error as { code?: unknown }).code
      const why = typeof code === 'string' ? code : error instanceof Error ? error.name : 'unknown'
      throw new BerthError('mcp_server_failed', `The MCP server ${name} did not answer (${why}).`)
    }
  }

  #bounded(body: Readable, server: HttpServer): Readable {
    let size = 0
    const { answerBytes } = this.#limits
    const counted = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        size += chunk.length
        if (size > answerBytes) done(new Error('The answer of the MCP server is too large.'))
        else done(null, chunk)
      },
    })
    const out = hideValues(Object.values(server.headers))
    // An end of any part ends all of them: an answer that is cut is no answer.
    body.on('error', (error) => counted.destroy(error))
    counted.on('error', (error) => {
      body.destroy()
      out.destroy(error)
    })
    out.on('close', () => body.destroy())
    return body.pipe(counted).pipe(out)
  }
}

const refuseRedirect = (name: string, { statusCode, body }: Dispatcher.ResponseData): void => {
  if (statusCode < 300 || statusCode >= 400) return
  body.on('error', () => undefined).destroy()
  throw new BerthError(
    'mcp_server_failed',
    `The MCP server ${name} redirects to another address, which is not followed. Write that address into the project's settings.`,
  )
}

const lowered = (headers: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

const pick = (
  headers: Record<string, string | string[] | undefined>,
  names: readonly string[],
): Record<string, string> =>
  Object.fromEntries(
    names.flatMap((name) => {
      const value = headers[name]
      return typeof value === 'string' ? [[name, value]] : []
    }),
  )

const busy = (open: number) =>
  new BerthError('mcp_busy', `${open} requests to MCP servers are under way in this session. Wait for some.`)
