import type { SessionSummary } from '@berth/contract'
import { fairOrder } from '../../apps/backend/src/session/admission/fair-order.ts'
import type { Figure } from '../figure.ts'
import { type BenchBackend, withBackend } from '../support/backend.ts'

/** Sessions that wait, by project: one project asks for much more than the others. */
const crowd = { default: 300, api: 80, docs: 60, site: 40, tools: 20 }
const count = Object.values(crowd).reduce((sum, sessions) => sum + sessions, 0)

const post = async ({ url, headers }: BenchBackend, path: string, body: object) => {
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return response.json()
}

/** Lets a condition come true. */
const until = async (condition: () => Promise<boolean>): Promise<void> => {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20))
}

const fill = async (backend: BenchBackend): Promise<SessionSummary[]> => {
  for (const name of Object.keys(crowd))
    if (name !== 'default') await post(backend, '/api/projects', { name })
  // This one takes the only place.
  await post(backend, '/api/projects/default/sessions', {})
  const sessions: SessionSummary[] = []
  for (const [project, wanted] of Object.entries(crowd))
    for (let i = 0; i < wanted; i += 20) {
      const batch = Array.from({ length: Math.min(20, wanted - i) }, () =>
        post(backend, `/api/projects/${project}/sessions`, {}),
      )
      sessions.push(...((await Promise.all(batch)) as SessionSummary[]))
    }
  return sessions
}

/** Changes nothing, but makes the backend look at its queue. */
const look = async ({ url, headers }: BenchBackend): Promise<void> => {
  const response = await fetch(`${url}/api/projects/default/settings`, {
    method: 'PATCH',
    headers: { ...headers, 'content-type': 'application/json', 'if-match': '"1"' },
    body: JSON.stringify({ undoHours: 24 }),
  })
  await response.arrayBuffer()
}

const waiting = async ({ url, headers }: BenchBackend): Promise<number> => {
  const counts = Object.keys(crowd).map(async (project) => {
    const response = await fetch(`${url}/api/projects/${project}/queue`, { headers })
    return ((await response.json()) as { waiting: number }).waiting
  })
  return (await Promise.all(counts)).reduce((sum, value) => sum + value, 0)
}

/** DESIGN: 500 sessions that wait are admitted within 1 s, in fair order. */
export const admission: Figure = {
  name: 'admission',
  about: `${count} sessions of ${Object.keys(crowd).length} projects wait, and then there is room for all; runners are only said to start`,
  run: () =>
    withBackend({ live: 1 }, async (backend) => {
      const sessions = await fill(backend)
      await until(async () => (await waiting(backend)) === count)
      await backend.makeRoom()
      const began = performance.now()
      await look(backend)
      await until(async () => (await backend.launched()).started > count)
      const running = performance.now() - began
      const { sessions: admitted, ms } = await backend.launched()
      const applicants = sessions.map(({ id, project, owner, status }) => ({
        ...{ session: id, project, owner: owner.id },
        since: Date.parse(status.since),
      }))
      const live = [{ project: 'default', owner: sessions[0]?.owner.id ?? '' }]
      const order = [...fairOrder(live, applicants)].map(({ session }) => session)
      const inOrder = order.filter((session, index) => admitted[index] === session).length
      return [
        { what: 'room → the last one is admitted', value: ms, unit: 'ms', goal: { atMost: 1000 } },
        { what: 'at their place in the fair order', value: inOrder, unit: '', goal: { atLeast: count } },
        { what: 'room → the last runner is asked for', value: running, unit: 'ms' },
      ]
    }),
}
