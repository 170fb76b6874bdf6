import { createClient, createRunnerClient } from '@berth/client'
import { type Figure, percentile } from '../figure.ts'
import { withBackend } from '../support/backend.ts'
import { launch } from '../support/sessions.ts'

const sessionsCount = 100
const perSecond = 20
const seconds = 8

/** DESIGN: from the runner's send to an SSE reader, 100 sessions × 20 events/s: p50 ≤ 5 ms, p99 ≤ 25 ms. */
export const fanOut: Figure = {
  name: 'fan-out',
  about: `${sessionsCount} runners × ${perSecond} events/s, a reader each (open loop)`,
  run: () =>
    withBackend({}, async (backend) => {
      const tokens = await launch(backend, sessionsCount)
      const client = createClient({ baseUrl: backend.url, token: backend.token })
      const sent = new Map<string, number>()
      const delays: number[] = []
      const stop = new AbortController()
      const read = async (session: string) => {
        for await (const event of client.events('default', session, { signal: stop.signal })) {
          const began =
            event.type === 'agent.status' ? sent.get(`${session} ${event.data.status}`) : undefined
          if (began !== undefined) delays.push(performance.now() - began)
        }
      }
      const readers = Object.keys(tokens).map((session) => read(session).catch(() => undefined))
      const send = async ([session, token]: [string, string], index: number) => {
        const runner = createRunnerClient({ baseUrl: backend.runnerUrl, token })
        const first = performance.now() + (index * 1000) / perSecond / sessionsCount + 1500
        for (let n = 1; n <= perSecond * seconds; n++) {
          const due = first + (n * 1000) / perSecond
          await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())))
          // After the first second, from when it was due: a late sender counts as a slow delivery.
          if (n > perSecond) sent.set(`${session} ${n}`, Math.min(performance.now(), due + 5))
          const fact = {
            n,
            at: new Date().toISOString(),
            type: 'agent.status' as const,
            data: { status: String(n) },
          }
          await runner.facts({ generation: 1, facts: [fact] })
        }
      }
      await Promise.all(Object.entries(tokens).map(send))
      const expected = sessionsCount * perSecond * (seconds - 1)
      for (let i = 0; delays.length < expected && i < 100; i++)
        await new Promise((resolve) => setTimeout(resolve, 50))
      stop.abort()
      await Promise.all(readers)
      const note = `${delays.length} of ${expected} delivered`
      return [
        { what: 'p50', value: percentile(delays, 0.5), unit: 'ms', goal: { atMost: 5 }, note },
        { what: 'p99', value: percentile(delays, 0.99), unit: 'ms', goal: { atMost: 25 } },
      ]
    }),
}
