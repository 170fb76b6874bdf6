import { randomBytes } from 'node:crypto'
import type { RunnerObservation, RunnerSpec, Runtime } from '@berth/runtime'
import { SchedulingV1Api, type V1Eviction } from '@kubernetes/client-node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ClusterAccess } from './api/cluster-access.ts'
import { type Cluster, freshName, openCluster, testOptions } from './fixtures/cluster.ts'
import { makeSpec, until } from './fixtures/specs.ts'
import { testCommands, testImage } from './fixtures/test-programs.ts'
import { createKubernetesRuntime } from './kubernetes-runtime.ts'
import { jobNameOf, labels } from './names.ts'
import type { KubernetesOptions } from './options/schema.ts'
import type { Commands } from './specs/containers.ts'

const namespace = freshName('berth-reasons')
let cluster: Cluster

beforeAll(async () => {
  cluster = openCluster()
  await cluster.makeNamespace(namespace)
})
afterAll(async () => {
  await cluster.deleteNamespace(namespace)
  await cluster.close()
})

interface Bench {
  runtime: Runtime
  instance: string
  seen: RunnerObservation[]
  ended(spec: RunnerSpec): Promise<RunnerObservation & { state: 'ended' }>
}

/** A runtime of its own over the namespace; everything of it is removed afterwards. */
const withRuntime = async (
  over: Partial<KubernetesOptions>,
  run: (bench: Bench) => Promise<void>,
  commands: Partial<Commands> = {},
) => {
  const instance = freshName('test')
  const options = testOptions({ instance, namespaces: { existing: namespace }, ...over })
  const runtime = createKubernetesRuntime({ options, commands: { ...testCommands, ...commands } })
  const seen: RunnerObservation[] = []
  const ended: Bench['ended'] = (spec) =>
    until('the end of the runner', async () => {
      const observation = await runtime.observe(spec.session)
      seen.push(observation)
      return observation.state === 'ended' && observation
    })
  try {
    await run({ runtime, instance, seen, ended })
  } finally {
    await Promise.all((await runtime.list()).map(({ session }) => runtime.remove(session)))
    await runtime.close()
  }
}

/** How far the start was, each time that it was looked at. */
const stepsIn = (seen: RunnerObservation[]) =>
  seen.flatMap((observation) => (observation.state === 'running' ? (observation.steps ?? []) : []))

describe.concurrent('[P119] how a runner ends on a cluster', () => {
  test('its image is missing', () =>
    withRuntime(
      {
        images: { runner: testImage, allowed: ['*'], pullPolicy: 'IfNotPresent' },
        patience: { imageSeconds: 3 },
      },
      async ({ runtime, ended, seen }) => {
        const spec = makeSpec('serve', { image: 'registry.invalid/no/such:1' })
        await runtime.ensure(spec)
        expect(await ended(spec)).toMatchObject({
          reason: 'image',
          message: expect.stringContaining('registry.invalid/no/such:1'),
        })
        expect(stepsIn(seen)).toContainEqual(expect.objectContaining({ step: 'image', state: 'failed' }))
        await until('the end of the pod', async () => (await cluster.pods(spec.session)).length === 0)
      },
    ))

  test('no node has a place', () =>
    withRuntime(
      { placement: { nodeSelector: { 'berth.dev/none': 'x' } }, patience: { scheduleSeconds: 3 } },
      async ({ runtime, ended, seen }) => {
        const spec = makeSpec()
        await runtime.ensure(spec)
        expect(await ended(spec)).toMatchObject({
          reason: 'unschedulable',
          message: expect.stringMatching(/No node had room for the runner for 3 s\. .*nodes are available/),
        })
        expect(stepsIn(seen)).toContainEqual(expect.objectContaining({ step: 'schedule', state: 'failed' }))
        await until('the end of the pod', async () => (await cluster.pods(spec.session)).length === 0)
        await runtime.ensure({ ...spec, generation: 2 })
        expect(await runtime.observe(spec.session)).toMatchObject({ state: 'running', generation: 2 })
      },
    ))

  test('a secret that it needs is missing', () =>
    withRuntime({ patience: { createSeconds: 3 } }, async ({ runtime, ended }) => {
      const spec = makeSpec()
      await runtime.ensure(spec)
      const name = jobNameOf(spec.session, spec.generation)
      await cluster.core.deleteNamespacedSecret({ name, namespace })
      expect(await ended(spec)).toMatchObject({
        reason: 'create-error',
        message: expect.stringMatching(/container runner: CreateContainerConfigError: secret .* not found/),
      })
    }))

  test('its program is missing', () =>
    withRuntime(
      { patience: { createSeconds: 3 } },
      async ({ runtime, ended }) => {
        const spec = makeSpec()
        await runtime.ensure(spec)
        expect((await ended(spec)).reason).toBe('create-error')
      },
      { runner: ['/no/such/program'] },
    ))

  test('it uses more memory than it may', () =>
    withRuntime({}, async ({ runtime, ended }) => {
      const spec = makeSpec('hog')
      await runtime.ensure(spec)
      expect(await ended(spec)).toMatchObject({ reason: 'out-of-memory' })
    }))

  test('its agent uses more memory than it may: the runner goes on', () =>
    withRuntime(
      {},
      async ({ runtime }) => {
        const spec = makeSpec('serve', {
          limits: { memoryBytes: 64 * 2 ** 20, processes: 64, milliCpus: 1000 },
        })
        await runtime.ensure(spec)
        await until('a restart of the agent', async () => {
          const [pod] = await cluster.pods(spec.session)
          const agent = pod?.status?.initContainerStatuses?.find(({ name }) => name === 'agent')
          return agent?.lastState?.terminated?.reason === 'OOMKilled'
        })
        expect(await runtime.observe(spec.session)).toMatchObject({ state: 'running' })
      },
      {
        agent: [
          'node',
          '-e',
          'setTimeout(() => { const k = []; for (;;) k.push(Buffer.alloc(2 ** 22, 1)) }, 4000)',
        ],
      },
    ))

  test('it reaches its deadline', () =>
    withRuntime({ job: { deadlineSeconds: 4 } }, async ({ runtime, ended }) => {
      const spec = makeSpec()
      await runtime.ensure(spec)
      expect(await ended(spec)).toMatchObject({ reason: 'deadline' })
    }))

  test('it fills its disk', () =>
    withRuntime({}, async ({ runtime, ended }) => {
      const spec = makeSpec('fill:100')
      await runtime.ensure(spec)
      expect(await ended(spec)).toMatchObject({
        reason: 'evicted',
        message: expect.stringContaining('limit'),
      })
    }))

  test('its node is drained', () =>
    withRuntime({ job: { graceSeconds: 2 } }, async ({ runtime, ended }) => {
      const spec = makeSpec('stubborn')
      await runtime.ensure(spec)
      const pod = await until('the runner', async () => {
        const observation = await runtime.observe(spec.session)
        return (
          observation.state === 'running' &&
          observation.beganAt !== undefined &&
          (await cluster.pods(spec.session))[0]
        )
      })
      const body: V1Eviction = { metadata: { name: pod.metadata?.name, namespace } }
      await cluster.core.createNamespacedPodEviction({ name: pod.metadata?.name ?? '', namespace, body })
      expect(await ended(spec)).toMatchObject({
        reason: 'evicted',
        message: expect.stringContaining('drained'),
      })
    }))

  test('a more important pod needs its place', async () => {
    const access = ClusterAccess.load()
    const scheduling = access.makeApiClient(SchedulingV1Api)
    const priorityClassName = freshName('berth-test-low')
    await scheduling.createPriorityClass({ body: { metadata: { name: priorityClassName }, value: -10 } })
    try {
      await withRuntime(
        { placement: { priorityClassName }, job: { graceSeconds: 2 } },
        async ({ runtime, instance, ended }) => {
          const spec = makeSpec('stubborn')
          await runtime.ensure(spec)
          const node = await until(
            'a node',
            async () => (await cluster.pods(spec.session))[0]?.spec?.nodeName,
          )
          await cluster.core.createNamespacedPod({ namespace, body: rival(instance, node) })
          expect(await ended(spec)).toMatchObject({ reason: 'preempted' })
        },
      )
    } finally {
      await scheduling.deletePriorityClass({ name: priorityClassName })
      await access.close()
    }
  })

  test('it ends while another container goes on: the pod is ended too', () =>
    withRuntime(
      {},
      async ({ runtime, ended }) => {
        const spec = makeSpec('exit:3')
        await runtime.ensure(spec)
        const end = await ended(spec)
        expect(end).toMatchObject({ reason: 'crashed', exitCode: 3 })
        await until('the end of the pod', async () => (await cluster.pods(spec.session)).length === 0)
        expect(await runtime.observe(spec.session)).toEqual(end)
      },
      { workspace: testCommands.agent },
    ))
})

/** A pod that can't be beside those of the installation. */
const rival = (instance: string, node: string) => ({
  metadata: { name: `rival-${randomBytes(4).toString('hex')}` },
  spec: {
    nodeSelector: { 'kubernetes.io/hostname': node },
    affinity: {
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          {
            topologyKey: 'kubernetes.io/hostname',
            labelSelector: { matchLabels: { [labels.instance]: instance } },
          },
        ],
      },
    },
    restartPolicy: 'Never',
    securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        name: 'rival',
        image: testImage,
        command: ['true'],
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
      },
    ],
  },
})
