import { createClient, createRunnerClient } from '@berth/client'
import { type Figure, percentile, type Row } from '../figure.ts'
import { type BenchReplica, type Replicas, withReplicas } from '../support/replicas.ts'
import { factOf } from '../support/sessions.ts'

const sessionsCount = 60
const batch = 50
const loadMs = 6000
const perSecond = 5
const seconds = 8

/** Not measured before; the goals of the design are for one backend: append → reader p50 ≤ 5 ms, p99 ≤ 25 ms. */
export const severalBackends: Figure = {
  name: 'several-backends',
  about: `one and two backends over one PostgreSQL, ${sessionsCount} sessions, requests spread over them`,
  run: async () => {
    const rows: Row[] = []
    for (const count of [1, 2])
      rows.push(...(await withReplicas(count, (replicas) => measure(count, replicas))))
    return rows
  },
}

const measure = async (count: number, replicas: Replicas): Promise<Row[]> => {
  const name = count === 1 ? 'one backend' : `${count} backends`
  const tokens = Object.entries(await launch(replicas))
  const steps = await stepsOf(replicas)
  const sent = new Map(tokens.map(([session]) => [session, 0]))
  const appended = await load(replicas, tokens, sent)
  const delays = await watch(replicas, tokens, sent)
  const expected = sessionsCount * perSecond * seconds
  return [
    {
      what: `${name}: durable events over HTTP, in batches of ${batch}`,
      value: appended,
      unit: '/s',
      note: `closed loop, ${sessionsCount} senders`,
    },
    {
      what: `${name}: append → SSE reader${count === 1 ? '' : ' of another backend'}, p50`,
      value: percentile(delays, 0.5),
      unit: 'ms',
      goal: { atMost: 5 },
      note: `open loop, ${sessionsCount * perSecond} events/s; ${delays.length} of ${expected}`,
    },
    { what: `${name}: the same, p99`, value: percentile(delays, 0.99), unit: 'ms', goal: { atMost: 25 } },
    { what: `${name}: steps of the reconciler for each new session`, value: steps / sessionsCount, unit: '' },
  ]
}

const at = ({ all }: Replicas, index: number): BenchReplica => {
  const replica = all[index % all.length]
  if (replica === undefined) throw new Error('no backend runs')
  return replica
}

const launch = async (replicas: Replicas): Promise<Record<string, string>> => {
  const headers = { ...replicas.headers, 'content-type': 'application/json' }
  await Promise.all(
    Array.from({ length: sessionsCount }, (_, index) =>
      fetch(`${at(replicas, index).url}/api/projects/default/sessions`, {
        method: 'POST',
        headers,
        body: '{}',
      }).then((response) => response.arrayBuffer()),
    ),
  )
  for (;;) {
    const tokens = await replicas.tokens()
    if (Object.keys(tokens).length >= sessionsCount) return tokens
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

const stepsOf = async ({ all, headers }: Replicas): Promise<number> => {
  const texts = all.map(async ({ url }) => (await fetch(`${url}/metrics`, { headers })).text())
  const lines = (await Promise.all(texts)).join('\n').matchAll(/^berth_reconcile_steps_total\{.*\} (\d+)$/gm)
  return [...lines].reduce((sum, [, value]) => sum + Number(value), 0)
}

const runnerAt = ({ runnerUrl }: BenchReplica, token: string) =>
  createRunnerClient({ baseUrl: runnerUrl, token })

/** Each runner sends its next batch as soon as the last one is stored, to one backend after another; events per second. */
const load = async (
  replicas: Replicas,
  tokens: [string, string][],
  sent: Map<string, number>,
): Promise<number> => {
  const started = performance.now()
  let total = 0
  const send = async ([session, token]: [string, string], index: number) => {
    for (let i = index; performance.now() - started < loadMs; i++) {
      const n = (sent.get(session) ?? 0) + 1
      const facts = Array.from({ length: batch }, (_, j) =>
        factOf(n + j, 'agent.status', { status: `${n + j}` }),
      )
      await runnerAt(at(replicas, i), token).facts({ generation: 1, facts: facts as never })
      sent.set(session, n + batch - 1)
      total += batch
    }
  }
  await Promise.all(tokens.map(send))
  return total / ((performance.now() - started) / 1000)
}

/** The time from sending to one backend to reading at the next. */
const watch = async (
  replicas: Replicas,
  tokens: [string, string][],
  sent: Map<string, number>,
): Promise<number[]> => {
  const began = new Map<string, number>()
  const delays: number[] = []
  const stop = new AbortController()
  const read = async (session: string, index: number) => {
    const client = createClient({ baseUrl: at(replicas, index + 1).url, token: 'bench' })
    const after = (await client.getSession({ params: { project: 'default', session } })).seq
    for await (const event of client.events('default', session, { after, signal: stop.signal })) {
      const since = event.type === 'agent.status' ? began.get(`${session} ${event.data.status}`) : undefined
      if (since !== undefined) delays.push(performance.now() - since)
    }
  }
  const readers = tokens.map(([session], index) => read(session, index).catch(() => undefined))
  const send = async ([session, token]: [string, string], index: number) => {
    const runner = runnerAt(at(replicas, index), token)
    const first = performance.now() + (index * 1000) / perSecond / sessionsCount + 1500
    const from = sent.get(session) ?? 0
    for (let i = 1; i <= perSecond * seconds; i++) {
      const due = first + (i * 1000) / perSecond
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())))
      // From when it was due: a late sender counts as a slow delivery.
      began.set(`${session} ${from + i}`, Math.min(performance.now(), due + 5))
      const facts = [factOf(from + i, 'agent.status', { status: `${from + i}` })]
      await runner.facts({ generation: 1, facts: facts as never })
    }
  }
  await Promise.all(tokens.map(send))
  const expected = sessionsCount * perSecond * seconds
  for (let i = 0; delays.length < expected && i < 60; i++)
    await new Promise((resolve) => setTimeout(resolve, 50))
  stop.abort()
  await Promise.all(readers)
  return delays
}
