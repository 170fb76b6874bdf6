import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { Figure, Row } from '../figure.ts'
import { withBackend } from '../support/backend.ts'
import { load } from '../support/load.ts'

const bareProgram = fileURLToPath(new URL('../support/bare-http.ts', import.meta.url))
const closed = { connections: 100, duration: 8 }

const bareRate = async (body: string): Promise<number> => {
  const child = fork(bareProgram)
  const answer = once(child, 'message')
  child.send(body)
  const [{ port }] = (await answer) as [AddressInfo]
  const { rate } = await load({ url: `http://127.0.0.1:${port}/`, ...closed })
  child.disconnect()
  return rate
}

/** DESIGN: at saturation, a list reaches 0.3 and a get 0.5 of the rate of a bare server with the same bytes. */
export const saturated: Figure = {
  name: 'saturated',
  about: '100 connections, as fast as it goes (closed loop), against a bare node:http with the same bytes',
  run: () =>
    withBackend({ sessions: 10_000 }, async ({ url, headers, sessions }) => {
      const base = `${url}/api/projects/default/sessions`
      const rows: Row[] = []
      for (const [what, target, share] of [
        ['list of 50', `${base}?limit=50`, 0.3],
        ['get', `${base}/${sessions[5000]}`, 0.5],
      ] as const) {
        const body = await (await fetch(target, { headers })).text()
        await load({ url: target, headers, connections: 100, duration: 2 })
        const bare = await bareRate(body)
        const { rate, p99 } = await load({ url: target, headers, ...closed })
        rows.push({ what: `${what}: bare node:http`, value: bare, unit: '/s' })
        rows.push({
          what: `${what}: rate against it`,
          value: rate / bare,
          unit: '×',
          goal: { atLeast: share },
          note: `${Math.round(rate)}/s, p99 ${p99} ms, ${body.length} bytes`,
        })
      }
      return rows
    }),
}
