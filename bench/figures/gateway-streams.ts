import { Agent, type RequestOptions, request } from 'node:http'
import { type Figure, percentile, type Row } from '../figure.ts'
import { withBackend } from '../support/backend.ts'
import { byTurns, ratioOf } from '../support/by-turns.ts'
import { startHelper } from '../support/helper-process.ts'
import { keepAlive, launch } from '../support/sessions.ts'

const pieces = 100
const sessions = 20
const rounds = 21
const body = JSON.stringify({ model: 'claude-sonnet-4-5', stream: true, messages: [] })

/** Bytes of one answer, read to its end. */
const read = (options: RequestOptions) =>
  new Promise<number>((resolve, reject) => {
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      ...(options.headers as Record<string, string>),
    }
    const sent = request({ ...options, method: 'POST', headers }, (response) => {
      let bytes = 0
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
      })
      response.once('error', reject)
      response.once('end', () =>
        response.statusCode === 200 ? resolve(bytes) : reject(new Error(`status ${response.statusCode}`)),
      )
    })
    sent.once('error', reject)
    sent.end(body)
  })

/** Time until so many streams at once have come to their end. */
const timeOf = async (count: number, to: (index: number) => RequestOptions): Promise<number> => {
  const started = performance.now()
  await Promise.all(Array.from({ length: count }, (_, index) => read(to(index))))
  return performance.now() - started
}

/**
 * The throughput of streams through the gateway, against a direct connection; and that of a bare relay in the gateway's place,
 * which is what one more process between the two costs on this machine.
 */
export const gatewayStreams: Figure = {
  name: 'gateway-streams',
  about: `streams of ${pieces} pieces at once (closed load): through the gateway, through a bare relay, and direct, by turns`,
  run: async () => {
    const upstream = await startHelper(new URL('../support/bare-sse.ts', import.meta.url), pieces)
    const relay = await startHelper(new URL('../support/bare-relay.ts', import.meta.url), upstream.port)
    const agent = new Agent({ keepAlive: true, maxSockets: 500 })
    try {
      return await withBackend({ upstream: `http://127.0.0.1:${upstream.port}` }, async (backend) => {
        const tokens = Object.values(await launch(backend, sessions))
        const silence = await keepAlive(backend, tokens)
        const gate = new URL(backend.runnerUrl)
        const to = (port: number) => (): RequestOptions => ({
          ...{ host: '127.0.0.1', port, agent, path: '/v1/messages' },
        })
        const through = (index: number): RequestOptions => ({
          ...{ host: gate.hostname, port: gate.port, agent, path: '/runner/model/v1/messages' },
          headers: { authorization: `Bearer ${tokens[index % tokens.length]}` },
        })
        const rows: Row[] = []
        for (const count of [50, 200]) {
          const times = await byTurns(
            { rounds, warm: 3 },
            {
              direct: () => timeOf(count, to(upstream.port)),
              bare: () => timeOf(count, to(relay.port)),
              gateway: () => timeOf(count, through),
            },
          )
          const rate = (count * pieces * 1000) / percentile(times.direct, 0.5)
          rows.push(
            { what: `${count} streams, direct: pieces`, value: rate, unit: '/s' },
            { what: `${count} streams, bare relay against direct`, ...ratioOf(times.direct, times.bare) },
            { what: `${count} streams, gateway against direct`, ...ratioOf(times.direct, times.gateway) },
            {
              what: `${count} streams, gateway against the bare relay`,
              ...ratioOf(times.bare, times.gateway),
            },
          )
        }
        silence()
        return rows
      })
    } finally {
      agent.destroy()
      relay.stop()
      upstream.stop()
    }
  },
}
