import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, type RequestOptions, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { Figure, Row } from '../figure.ts'
import { withBackend } from '../support/backend.ts'
import { launch } from '../support/sessions.ts'

const bareProgram = fileURLToPath(new URL('../support/bare-sse.ts', import.meta.url))
const pieces = 100
const sessions = 20
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

/** Answers in a second, each so many pieces, with so many streams at once. */
const rate = async (count: number, to: (index: number) => RequestOptions): Promise<number> => {
  const started = performance.now()
  await Promise.all(Array.from({ length: count }, (_, index) => read(to(index))))
  return (count * pieces * 1000) / (performance.now() - started)
}

/** DESIGN: the throughput of streams through the gateway, against a direct connection. */
export const gatewayStreams: Figure = {
  name: 'gateway-streams',
  about: `streams of ${pieces} pieces at once (closed load): through the gateway, and direct`,
  run: async () => {
    const upstream = fork(bareProgram)
    const listening = once(upstream, 'message')
    upstream.send(pieces)
    const [{ port }] = (await listening) as [AddressInfo]
    const agent = new Agent({ keepAlive: true, maxSockets: 500 })
    try {
      return await withBackend({ upstream: `http://127.0.0.1:${port}` }, async (backend) => {
        const gate = new URL(backend.runnerUrl)
        const through =
          (tokens: string[]) =>
          (index: number): RequestOptions => ({
            ...{ host: gate.hostname, port: gate.port, agent, path: '/runner/model/v1/messages' },
            headers: { authorization: `Bearer ${tokens[index % tokens.length]}` },
          })
        const direct = (): RequestOptions => ({ host: '127.0.0.1', port, agent, path: '/v1/messages' })
        const rows: Row[] = []
        for (const [round, count] of [50, 200].entries()) {
          // Nobody speaks for these runners: after half a minute without a sign of life they would be fenced out.
          const tokens = Object.values(await launch(backend, sessions * (round + 1))).slice(-sessions)
          await rate(sessions, through(tokens))
          const base = await rate(count, direct)
          const gated = await rate(count, through(tokens))
          rows.push(
            { what: `${count} streams, direct: pieces`, value: base, unit: '/s' },
            { what: `${count} streams, through the gateway: pieces`, value: gated, unit: '/s' },
            { what: `${count} streams, through the gateway against direct`, value: gated / base, unit: '×' },
          )
        }
        return rows
      })
    } finally {
      agent.destroy()
      upstream.disconnect()
    }
  },
}
