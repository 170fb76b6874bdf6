import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { builtInScenarios, createScriptedModel, loadScenarios } from '@berth/scripted-model'
import {
  createKubernetesRuntime,
  type KubernetesOptions,
} from '../../packages/runtime-kubernetes/src/index.ts'
import { type Figure, percentile, type Row } from '../figure.ts'
import { type BareJobs, openBareJobs } from '../support/bare-job.ts'
import { type ClusterBackend, withClusterBackend } from '../support/cluster-backend.ts'

const rounds = Number(process.env.BERTH_BENCH_ROUNDS ?? 20)
const project = 'default'
/** Time between two looks at what is waited for. */
const lookMs = 100
/** Berth's image for runners, as the cluster has it. */
const image = process.env.BERTH_BENCH_IMAGE ?? 'berth-runner:test'

type Model = ReturnType<typeof createScriptedModel>

interface Times {
  bare: number[]
  berth: number[]
  steps: Map<string, number[]>
}

interface Event {
  type: string
  at: string
  data: { step?: string; state?: string; ms?: number; item?: string }
}

/** DESIGN: POST → pod running → first model request ≤ 1.3 × a Job that starts Claude Code by hand. */
export const clusterStart: Figure = {
  name: 'cluster-start',
  about: `${rounds} sessions in pods, one after the other, each beside a bare Job; the image is on the node`,
  run: async () => {
    const address = process.env.BERTH_BENCH_ADDRESS
    if (address === undefined)
      throw new Error('set BERTH_BENCH_ADDRESS to the address under which pods reach this machine')
    const model = createScriptedModel({ scenarios: await loadScenarios(builtInScenarios) })
    const { url, close } = await model.listen({ host: address })
    const bare = await openBareJobs(image, url)
    const options = optionsFor(address)
    const runtime = createKubernetesRuntime({ options })
    try {
      const env = { ANTHROPIC_API_KEY: 'bench', ANTHROPIC_BASE_URL: url }
      return await withClusterBackend({ options, address, env }, async (backend) => {
        const times: Times = { bare: [], berth: [], steps: new Map() }
        for (let round = 0; round <= rounds; round++) {
          const [byHand, session] = [await bareOnce(bare, model), await sessionOnce(backend, model)]
          // The first round warms the node.
          if (round === 0) continue
          times.bare.push(byHand)
          times.berth.push(session.ms)
          for (const [step, ms] of session.steps)
            times.steps.set(step, [...(times.steps.get(step) ?? []), ms])
        }
        return rowsOf(times)
      })
    } finally {
      for (const { session } of await runtime.list()) await runtime.remove(session)
      await runtime.removeProject(project)
      await runtime.close()
      await bare.close()
      await close()
    }
  },
}

const optionsFor = (address: string): KubernetesOptions => {
  const id = randomBytes(3).toString('hex')
  return {
    instance: `bench-${id}`,
    namespaces: { perProject: { prefix: `bench-${id}-` } },
    images: { runner: image, pullPolicy: 'IfNotPresent' },
    resources: { agent: { cpu: '10m', memory: '64Mi' }, runner: { cpu: '10m' }, workspace: { cpu: '10m' } },
    network: { backend: { cidrs: [`${address}/32`] } },
  }
}

/** When the first request with this text in its body came, by the clock of this machine. */
const firstRequest = async (model: Model, text: string): Promise<number> => {
  await model.waitForRequest(
    (request) => request.path.startsWith('/v1/messages') && JSON.stringify(request.body).includes(text),
    { timeoutMs: 120_000 },
  )
  return Date.now()
}

/** Ends with nothing of it running: the next one has the machine for itself. */
const bareOnce = async (bare: BareJobs, model: Model): Promise<number> => {
  const text = `echo: bare ${randomBytes(4).toString('hex')}`
  const started = Date.now()
  const name = await bare.start(text)
  const ms = (await firstRequest(model, text)) - started
  await bare.ended(name)
  return ms
}

const callerOf =
  ({ url, headers }: ClusterBackend) =>
  async <T>(path: string, init: RequestInit = {}): Promise<T> => {
    const response = await fetch(`${url}/api/projects/${project}/sessions${path}`, {
      ...init,
      headers: { ...headers, 'content-type': 'application/json' },
    })
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`)
    return response.json() as Promise<T>
  }

const sessionOnce = async (backend: ClusterBackend, model: Model) => {
  const call = callerOf(backend)
  const prompt = `echo: cold ${randomBytes(4).toString('hex')}`
  const started = Date.now()
  const { id } = await call<{ id: string }>('', { method: 'POST', body: JSON.stringify({ prompt }) })
  const requested = await firstRequest(model, prompt)
  const events = async () => (await call<{ items: Event[] }>(`/${id}/events`)).items
  // How long the containers took is told a little later than they run.
  while (!(await events()).some(({ type }) => type === 'turn.ended')) await sleep(lookMs)
  const steps = stepsOf(await events(), { started, requested })
  await call(`/${id}/stop`, { method: 'POST', body: '{}' })
  const phase = async () => (await call<{ status: { phase: string } }>(`/${id}`)).status.phase
  while ((await phase()) !== 'stopped') await sleep(lookMs)
  return { ms: requested - started, steps }
}

/** The steps that the session tells of, and what lies between them; it has the clock of this machine. */
const stepsOf = (events: Event[], { started, requested }: { started: number; requested: number }) => {
  const at = (type: string) => Date.parse(events.find((event) => event.type === type)?.at ?? '')
  const steps = new Map([['from POST to generation.started', at('generation.started') - started]])
  for (const { type, data } of events)
    if (type.endsWith('.step') && data.state === 'done' && data.ms !== undefined)
      steps.set(`step ${data.step}`, data.ms)
  steps.set('from POST to runner.started', at('runner.started') - started)
  steps.set('from agent.ready to the request', requested - at('agent.ready'))
  return steps
}

const rowsOf = ({ bare, berth, steps }: Times): Row[] => {
  const p50 = (values: number[]) => percentile(values, 0.5)
  const p95 = (values: number[]) => percentile(values, 0.95)
  return [
    {
      what: 'bare Job: made → first request, p50',
      value: p50(bare),
      unit: 'ms',
      note: `p95 ${Math.round(p95(bare))} ms`,
    },
    ...([p50, p95] as const).map(
      (of, index): Row => ({
        what: `POST session → first request, ${['p50', 'p95'][index]} against it`,
        value: of(berth) / of(bare),
        unit: '×',
        goal: { atMost: 1.3 },
        note: `${Math.round(of(berth))} ms`,
      }),
    ),
    ...[...steps].map(
      ([what, values]): Row => ({
        what: `${what}, p50`,
        value: p50(values),
        unit: 'ms',
        note: `p95 ${Math.round(p95(values))} ms`,
      }),
    ),
  ]
}
