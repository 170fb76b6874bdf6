import { request } from 'node:http'
import type { Figure } from '../figure.ts'
import { withBackend } from '../support/backend.ts'
import { factOf, launch } from '../support/sessions.ts'

const count = 1000

const openStream = (url: string, headers: Record<string, string>) =>
  new Promise<() => void>((resolve, reject) => {
    const stream = request(url, { headers: { ...headers, accept: 'text/event-stream' } }, (response) => {
      response.resume()
      response.once('data', () => resolve(() => stream.destroy()))
    })
    stream.once('error', reject)
    stream.end()
  })

/** DESIGN: 1,000 idle sessions and 1,000 streams in ≤ 300 MB resident. */
export const memory: Figure = {
  name: 'memory',
  about: `the backend with ${count} idle sessions and a reader each`,
  run: () =>
    withBackend({}, async (backend) => {
      const before = await backend.rss()
      const tokens = await launch(backend, count)
      for (const token of Object.values(tokens)) {
        const facts = [
          factOf(1, 'runner.started', { version: 'bench', sandbox: 'none' }),
          factOf(2, 'agent.ready', {}),
        ]
        await fetch(`${backend.runnerUrl}/runner/facts`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          body: JSON.stringify({ generation: 1, facts }),
        }).then((response) => response.arrayBuffer())
      }
      const base = `${backend.url}/api/projects/default/sessions`
      const close = await Promise.all(
        Object.keys(tokens).map((session) => openStream(`${base}/${session}/events`, backend.headers)),
      )
      const rss = await backend.rss()
      for (const end of close) end()
      const note = `${Math.round(before / 1e6)} MB before`
      return [{ what: 'resident', value: rss / 1e6, unit: 'MB', goal: { atMost: 300 }, note }]
    }),
}
