import { randomBytes } from 'node:crypto'
import {
  createKubernetesRuntime,
  type KubernetesOptions,
} from '../../packages/runtime-kubernetes/src/index.ts'
import { type Figure, percentile } from '../figure.ts'
import { type ClusterBackend, withClusterBackend } from '../support/cluster-backend.ts'

const count = 500
const project = 'default'

/** DESIGN: 500 sessions created at once: every Job is there, the API stays quick, the backend small. */
export const clusterBurst: Figure = {
  name: 'cluster-burst',
  about: `${count} sessions created at once against the cluster of KUBECONFIG; no node takes their pods`,
  run: async () => {
    const id = randomBytes(3).toString('hex')
    const options: KubernetesOptions = {
      instance: `bench-${id}`,
      namespaces: { perProject: { prefix: `bench-${id}-` } },
      images: { runner: 'berth-runner:bench' },
      placement: { nodeSelector: { 'berth.dev/bench': 'nowhere' } },
      quota: { hard: { pods: '5000', 'count/jobs.batch': '5000', 'count/secrets': '5000' } },
      patience: { scheduleSeconds: 3600 },
    }
    const runtime = createKubernetesRuntime({ options })
    try {
      return await withClusterBackend({ options }, async (backend) => {
        const isOver = { value: false }
        const calls = measureCalls(backend, isOver)
        const started = performance.now()
        const posts = await Promise.all(Array.from({ length: count }, () => create(backend)))
        const postsMs = performance.now() - started
        while ((await runtime.list()).filter(({ state }) => state === 'running').length < count)
          await new Promise((resolve) => setTimeout(resolve, 500))
        const jobsMs = performance.now() - started
        isOver.value = true
        const times = await calls
        const steps = await backend.metric('berth_reconcile_steps_total')
        return [
          {
            what: `API while ${count} Jobs are made, p99`,
            value: percentile(times, 0.99),
            unit: 'ms' as const,
            goal: { atMost: 250 },
            note: `${times.length} calls, open loop, 50/s; p50 ${percentile(times, 0.5).toFixed(1)} ms`,
          },
          { what: 'POST p99, all at once', value: percentile(posts, 0.99), unit: 'ms' as const },
          {
            what: 'all Jobs are there after',
            value: jobsMs,
            unit: 'ms' as const,
            note: `all answered after ${Math.round(postsMs)} ms`,
          },
          {
            what: 'backend, most memory',
            value: await backend.peakMb(),
            unit: 'MB' as const,
            goal: { atMost: 400 },
          },
          { what: 'steps of the reconciler per session', value: steps / count, unit: '' as const },
        ]
      })
    } finally {
      await runtime.removeProject(project)
      await runtime.close()
    }
  },
}

const create = async ({ url, headers }: ClusterBackend): Promise<number> => {
  const started = performance.now()
  const response = await fetch(`${url}/api/projects/${project}/sessions`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ prompt: 'Repair the flaky test' }),
  })
  await response.arrayBuffer()
  if (response.status !== 201) throw new Error(`POST answered ${response.status}`)
  return performance.now() - started
}

/** Lists sessions 50 times a second, whether or not the answers keep up. */
const measureCalls = async (
  { url, headers }: ClusterBackend,
  isOver: { value: boolean },
): Promise<number[]> => {
  const times: number[] = []
  const calls: Promise<void>[] = []
  const call = async () => {
    const started = performance.now()
    const response = await fetch(`${url}/api/projects/${project}/sessions?limit=50`, { headers })
    await response.arrayBuffer()
    if (response.status !== 200) throw new Error(`GET answered ${response.status}`)
    times.push(performance.now() - started)
  }
  while (!isOver.value) {
    calls.push(call())
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await Promise.all(calls)
  return times
}
