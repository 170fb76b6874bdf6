import { type RequestOptions, request } from 'node:http'
import { openDoor } from '../../apps/runner/src/door/door.ts'
import { type Figure, percentile } from '../figure.ts'
import { withBackend } from '../support/backend.ts'
import { byTurns } from '../support/by-turns.ts'
import { startHelper } from '../support/helper-process.ts'
import { keepAlive, launch } from '../support/sessions.ts'

const rounds = 2000
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

/**
 * DESIGN: gateway and door against a direct connection, p50 ≤ 1 ms more. Two relays that look at nothing, in their place, say what
 * two more processes between the two cost on this machine.
 */
export const gateway: Figure = {
  name: 'gateway',
  about: 'a model request of 46 KB: through door and gateway, through two bare relays, and direct, by turns',
  run: async () => {
    const upstream = await startHelper(new URL('../support/bare-http.ts', import.meta.url), answer)
    const { port } = upstream
    const relay = new URL('../support/bare-relay.ts', import.meta.url)
    const near = await startHelper(relay, port)
    const far = await startHelper(relay, near.port)
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
        const silence = await keepAlive(backend, [token])
        const { direct, bare, through } = await byTurns(
          { rounds, warm: 200 },
          {
            direct: () => once1({ host: '127.0.0.1', port }),
            bare: () => once1({ host: '127.0.0.1', port: far.port }),
            through: () => once1({ socketPath: door.socket }),
          },
        )
        silence()
        await door.close()
        const more = (what: string, times: number[]) => {
          const differences = times.map((ms, round) => ms - (direct[round] ?? Number.NaN))
          const [low = 0, value = 0, high = 0] = [0.25, 0.5, 0.75].map((share) =>
            percentile(differences, share),
          )
          const note = `median of ${rounds} pairs; half of them ${low.toFixed(2)} to ${high.toFixed(2)}`
          return { what, value, unit: 'ms' as const, note }
        }
        const p99 = (what: string, times: number[]) => ({
          what: `${what}, p99`,
          value: percentile(times, 0.99),
          unit: 'ms' as const,
        })
        return [
          { what: 'direct p50', value: percentile(direct, 0.5), unit: 'ms' as const },
          p99('direct', direct),
          more('more through two bare relays, p50', bare),
          p99('through two bare relays', bare),
          { ...more('more through door and gateway, p50', through), goal: { atMost: 1 } },
          p99('through door and gateway', through),
        ]
      })
    } finally {
      for (const helper of [far, near, upstream]) helper.stop()
    }
  },
}
