import type { Runtime, RuntimeFinding } from '@berth/runtime'
import type { V1EndpointSlice, V1Pod } from '@kubernetes/client-node'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { kinds } from '../api/resources.ts'
import { freshName, openCluster, testOptions } from '../fixtures/cluster.ts'
import { testCommands, testImage } from '../fixtures/test-programs.ts'
import { createKubernetesRuntime } from '../kubernetes-runtime.ts'
import { ownLabels, selectorOf } from '../names.ts'
import type { KubernetesOptions } from '../options/schema.ts'

const cluster = openCluster()
const namespace = freshName('berth-doctor')
const port = 7421
let backendUrl: string
let network: KubernetesOptions['network']

/** Clusters whose names are answered outside of pods say so by the addresses of the Service. */
const networkOf = async (): Promise<KubernetesOptions['network']> => {
  const kind = { group: 'discovery.k8s.io', resource: 'endpointslices', namespaced: true }
  const selector = 'kubernetes.io/service-name=kube-dns'
  const place = { kind, namespace: 'kube-system' }
  const read = (slice: V1EndpointSlice) => slice.endpoints ?? undefined
  const endpoints = (await cluster.api.list(place, selector, { read })).items.flat()
  if (endpoints.length === 0 || endpoints.some(({ targetRef }) => targetRef !== undefined)) return undefined
  return { dns: { cidrs: endpoints.flatMap(({ addresses }) => addresses.map((address) => `${address}/32`)) } }
}

/** Something that answers on the runners' port, with the labels of a backend. */
const startBackend = async (): Promise<string> => {
  const program = `require('http').createServer((_, answer) => answer.end('ok')).listen(${port})`
  const pod: V1Pod = {
    metadata: { name: 'backend', namespace, labels: { 'app.kubernetes.io/name': 'berth' } },
    spec: {
      terminationGracePeriodSeconds: 0,
      securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'backend',
          image: testImage,
          imagePullPolicy: 'IfNotPresent',
          command: ['node', '-e', program],
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
    },
  }
  await cluster.core.createNamespacedPod({ namespace, body: pod })
  const address = await vi.waitFor(
    async () => {
      const { status } = await cluster.core.readNamespacedPod({ name: 'backend', namespace })
      expect(status?.phase).toBe('Running')
      return status?.podIP
    },
    { timeout: 60_000, interval: 300 },
  )
  return `http://${address}:${port}`
}

beforeAll(async () => {
  await cluster.makeNamespace(namespace)
  backendUrl = await startBackend()
  network = await networkOf()
})

afterAll(async () => {
  await cluster.deleteNamespace(namespace)
  await cluster.close()
})

const states = (findings: RuntimeFinding[]) => findings.map(({ name, state }) => `${name} ${state}`)

const open = (over: Partial<KubernetesOptions>) => {
  const options = testOptions({ instance: freshName('doctor'), network, ...over })
  const runtime: Runtime = createKubernetesRuntime({ options, commands: testCommands })
  onTestFinished(() => runtime.close())
  const diagnose = async (url = backendUrl) => {
    const found = await runtime.diagnose?.({ project: 'shop', backendUrl: url })
    return found ?? { findings: [] }
  }
  return { runtime, diagnose, options }
}

describe('[P112] a diagnosis of a cluster', () => {
  it('finds all well where it is, and leaves nothing', async () => {
    const { diagnose, options } = open({ namespaces: { existing: namespace } })
    const diagnosis = await diagnose()
    expect(diagnosis.namespace).toBe(namespace)
    expect(diagnosis.findings.filter(({ state }) => state !== 'ok')).toEqual([])
    expect(states(diagnosis.findings)).toEqual([
      'rights ok',
      'image ok',
      'DNS ok',
      'runner port ok',
      'isolation ok',
      'Pod Security ok',
    ])
    const selector = selectorOf(ownLabels({ instance: options.instance ?? '' }))
    for (const kind of [kinds.jobs, kinds.pods])
      await expect
        .poll(
          async () => (await cluster.api.list({ kind, namespace }, selector, { read: (item) => item })).items,
          { timeout: 30_000 },
        )
        .toEqual([])
  })

  it('makes a project’s namespace, and tells its room', async () => {
    const perProject = { prefix: `${freshName('d')}-` }
    const { diagnose, runtime } = open({ namespaces: { perProject } })
    onTestFinished(() => cluster.deleteNamespace(`${perProject.prefix}shop`))
    const { findings } = await diagnose()
    expect(states(findings)).toContain('room ok')
    expect(findings.filter(({ state }) => state !== 'ok')).toEqual([])
    await runtime.removeProject('shop')
  })

  it('sees an open network, an unreachable backend, and a namespace that lets everything in', async () => {
    const loose = freshName('berth-loose')
    await cluster.core.createNamespace({ body: { metadata: { name: loose } } })
    onTestFinished(() => cluster.deleteNamespace(loose))
    const { diagnose } = open({ namespaces: { existing: loose }, network: { policy: 'none' } })
    const { findings } = await diagnose(backendUrl.replace(String(port), '7999'))
    expect(states(findings)).toEqual([
      'rights ok',
      'image ok',
      'DNS ok',
      'runner port fail',
      'isolation warn',
      'Pod Security fail',
    ])
    expect(findings[4]?.detail).toContain('the API server')
  })

  it('says which image or class is missing, and that a namespace is', async () => {
    const images = { runner: 'berth-none:1', pullPolicy: 'Never' as const }
    const image = await open({ namespaces: { existing: namespace }, images }).diagnose()
    expect(states(image.findings)).toContain('image fail')
    const placement = { runtimeClassName: 'never-made' }
    const runtimeClass = await open({ namespaces: { existing: namespace }, placement }).diagnose()
    expect(states(runtimeClass.findings)).toContain('RuntimeClass fail')
    const missing = await open({ namespaces: { existing: freshName('missing') } }).diagnose()
    expect(states(missing.findings)).toEqual(['rights ok', 'cluster access fail'])
  })
})
