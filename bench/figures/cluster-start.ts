import { randomBytes } from 'node:crypto'
import { builtInScenarios, createScriptedModel, loadScenarios } from '@berth/scripted-model'
import {
  createKubernetesRuntime,
  type KubernetesOptions,
} from '../../packages/runtime-kubernetes/src/index.ts'
import { type Figure, percentile, type Row } from '../figure.ts'
import { openBareJobs } from '../support/bare-job.ts'
import { type ClusterBackend, withClusterBackend } from '../support/cluster-backend.ts'

const rounds = 20
const project = 'default'
/** Berth's image for runners, as the cluster has it. */
const image = process.env.BERTH_BENCH_IMAGE ?? 'berth-runner:test'

type Model = ReturnType<typeof createScriptedModel>

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
        const times: { bare: number[]; berth: number[]; steps: Record<string, number[]> } = {
          bare: [],
          berth: [],
          steps: {},
        }
        for (let round = 0; round <= rounds; round++) {
          const [byHand, session] = [await bareOnce(bare, model), await sessionOnce(backend, model)]
          // The first round warms the node.
          if (round === 0) continue
          times.bare.push(byHand)
          times.berth.push(session.ms)
          for (const [step, ms] of Object.entries(session.steps))
            times.steps[step] = [...(times.steps[step] ?? []), ms]
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

/** When the first request with this text in its body came, on this process's clock. */
const firstRequest = async (model: Model, text: string): Promise<number> => {
  await model.waitForRequest(
    (request) => request.path.startsWith('/v1/messages') && JSON.stringify(request.body).includes(text),
    { timeoutMs: 120_000 },
  )
  return performance.now()
}

const bareOnce = async (bare: Awaited<ReturnType<typeof openBareJobs>>, model: Model): Promise<number> => {
  const text = `echo: bare ${randomBytes(4).toString('hex')}`
  const started = performance.now()
  await bare.start(text)
  return (await firstRequest(model, text)) - started
}

const sessionOnce = async ({ url, headers }: ClusterBackend, model: Model) => {
  const call = async <T>(path: string, init: RequestInit = {}): Promise<T> => {
    const response = await fetch(`${url}/api/projects/${project}/sessions${path}`, {
      ...init,
      headers: { ...headers, 'content-type': 'application/json' },
    })
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`)
    return response.json() as Promise<T>
  }
  const prompt = `echo: cold ${randomBytes(4).toString('hex')}`
  const started = performance.now()
  const { id } = await call<{ id: string }>('', { method: 'POST', body: JSON.stringify({ prompt }) })
  const ms = (await firstRequest(model, prompt)) - started
  const { items } = await call<{ items: Event[] }>(`/${id}/events`)
  const done = items.filter(
    ({ type, data }) => type.endsWith('.step') && data.state === 'done' && data.ms !== undefined,
  )
  const steps = Object.fromEntries(done.map(({ data }) => [data.step ?? '', data.ms ?? 0]))
  await call(`/${id}/stop`, { method: 'POST', body: '{}' })
  return { ms, steps }
}

const rowsOf = (times: { bare: number[]; berth: number[]; steps: Record<string, number[]> }): Row[] => {
  const p50 = (values: number[]) => percentile(values, 0.5)
  const p95 = (values: number[]) => percentile(values, 0.95)
  return [
    {
      what: 'bare Job: made → first request, p50',
      value: p50(times.bare),
      unit: 'ms',
      note: `p95 ${Math.round(p95(times.bare))} ms`,
    },
    {
      what: 'POST session → first request, p50 against it',
      value: p50(times.berth) / p50(times.bare),
      unit: '×',
      goal: { atMost: 1.3 },
      note: `${Math.round(p50(times.berth))} ms`,
    },
    {
      what: 'POST session → first request, p95 against it',
      value: p95(times.berth) / p95(times.bare),
      unit: '×',
      goal: { atMost: 1.3 },
      note: `${Math.round(p95(times.berth))} ms`,
    },
    ...Object.entries(times.steps).map(
      ([step, values]): Row => ({ what: `step ${step}, p50`, value: p50(values), unit: 'ms' }),
    ),
  ]
}
