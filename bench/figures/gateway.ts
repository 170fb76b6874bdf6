import { fork } from 'node:child_process'
import { once } from 'node:events'
import { type RequestOptions, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { openDoor } from '../../apps/runner/src/door/door.ts'
import { type Figure, percentile } from '../figure.ts'
import { withBackend } from '../support/backend.ts'
import { launch } from '../support/sessions.ts'

const bareProgram = fileURLToPath(new URL('../support/bare-http.ts', import.meta.url))
const answer = JSON.stringify({
  type: 'message',
  model: 'm',
  content: [],
  usage: { input_tokens: 1, output_tokens: 1 },
})
/** As large as a request of Claude Code. */
const body = JSON.stringify({ model: 'claude-sonnet-4-5', system: 'x'.repeat(46 * 1024), messages: [] })

const once1 = (options: RequestOptions) =>
  new Promise<number>((resolve, reject) => {
    const started = performance.now()
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const sent = request({ method: 'POST', path: '/v1/messages', headers, ...options }, (response) => {
      response.resume().once('end', () => {
        if (response.statusCode === 200) resolve(performance.now() - started)
        else reject(new Error(`status ${response.statusCode}`))
      })
    })
    sent.once('error', reject)
    sent.end(body)
  })

/** DESIGN: gateway and door against a direct connection, p50 ≤ 1 ms more. */
export const gateway: Figure = {
  name: 'gateway',
  about: 'a model request of 46 KB, one after the other: through door and gateway, and direct',
  run: async () => {
    const upstream = fork(bareProgram)
    const listening = once(upstream, 'message')
    upstream.send(answer)
    const [{ port }] = (await listening) as [AddressInfo]
    try {
      return await withBackend({ upstream: `http://127.0.0.1:${port}` }, async (backend) => {
        const [token = ''] = Object.values(await launch(backend, 1))
        const door = await openDoor({
          backendUrl: backend.runnerUrl,
          token,
          owner: { session: 'ses_00000000000000000000000000', generation: 1 },
          turn: () => undefined,
          onProblem: (error) => process.stderr.write(`${String(error)}\n`),
        })
        const [direct, through]: [number[], number[]] = [[], []]
        for (let i = 0; i < 600; i++) {
          direct.push(await once1({ host: '127.0.0.1', port }))
          through.push(await once1({ socketPath: door.socket }))
        }
        await door.close()
        const warm = { direct: direct.slice(100), through: through.slice(100) }
        const base = percentile(warm.direct, 0.5)
        const more = percentile(warm.through, 0.5) - base
        return [
          { what: 'direct p50', value: base, unit: 'ms' as const },
          { what: 'direct p99', value: percentile(warm.direct, 0.99), unit: 'ms' as const },
          {
            what: 'through door and gateway, p99',
            value: percentile(warm.through, 0.99),
            unit: 'ms' as const,
          },
          {
            what: 'more through door and gateway, p50',
            value: more,
            unit: 'ms' as const,
            goal: { atMost: 1 },
          },
        ]
      })
    } finally {
      upstream.disconnect()
    }
  },
}
