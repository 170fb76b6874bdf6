import { isRuntimeError, type RunnerSpec } from '@berth/runtime'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type Cluster, freshName, openCluster, testOptions } from './fixtures/cluster.ts'
import { makeSpec, until } from './fixtures/specs.ts'
import { testCommands, testImage } from './fixtures/test-programs.ts'
import { createKubernetesRuntime } from './kubernetes-runtime.ts'
import type { KubernetesOptions } from './options/schema.ts'

let cluster: Cluster
const namespaces: string[] = []

beforeAll(() => {
  cluster = openCluster()
})
afterEach(async () => {
  for (const name of namespaces.splice(0)) await cluster.deleteNamespace(name)
})
afterAll(() => cluster.close())

/** An installation that gives each project a namespace. */
const open = (over: Partial<KubernetesOptions> = {}) => {
  const prefix = `${freshName('b')}-`
  const instance = freshName('test')
  const options = testOptions({ instance, namespaces: { perProject: { prefix } }, ...over })
  namespaces.push(`${prefix}shop`)
  return {
    runtime: createKubernetesRuntime({ options, commands: testCommands }),
    options,
    namespace: `${prefix}shop`,
  }
}

const shop = (over: Partial<RunnerSpec> = {}) => makeSpec('serve', { project: 'shop', ...over })

const begun = async (runtime: ReturnType<typeof open>['runtime'], session: string) =>
  until('the runner', async () => {
    const observation = await runtime.observe(session)
    return observation.state === 'running' && observation.beganAt !== undefined
  })

test('a project gets a restricted namespace with a quota and a policy, and it goes with the project', async () => {
  const { runtime, namespace } = open()
  const spec = shop()
  await runtime.ensure(spec)
  await begun(runtime, spec.session)
  const found = await cluster.core.readNamespace({ name: namespace })
  expect(found.metadata?.labels).toMatchObject({ 'pod-security.kubernetes.io/enforce': 'restricted' })
  const { items: quotas } = await cluster.core.listNamespacedResourceQuota({ namespace })
  expect(quotas).toMatchObject([{ spec: { hard: { pods: '100' } } }])
  expect(await runtime.projects()).toEqual(['shop'])
  await runtime.remove(spec.session)
  await runtime.removeProject('shop')
  await runtime.removeProject('shop')
  expect(await runtime.projects()).toEqual([])
  await expect(cluster.core.readNamespace({ name: namespace })).rejects.toMatchObject({ code: 404 })
  await runtime.close()
})

test('[P121] a namespace of somebody else’s is neither used nor deleted', async () => {
  const { runtime, namespace } = open()
  await cluster.core.createNamespace({ body: { metadata: { name: namespace } } })
  await expect(runtime.ensure(shop())).rejects.toMatchObject({
    reason: 'forbidden',
    message: expect.stringContaining('was not made by this installation'),
  })
  await runtime.removeProject('shop')
  expect((await cluster.core.readNamespace({ name: namespace })).metadata?.deletionTimestamp).toBeUndefined()
  await runtime.close()
})

test('[P121] a namespace that is deleted under its runners ends them, and is made again', async () => {
  const { runtime, namespace } = open()
  const spec = shop()
  await runtime.ensure(spec)
  await begun(runtime, spec.session)
  await cluster.core.deleteNamespace({ name: namespace })
  await until('the end of the runner', async () => (await runtime.observe(spec.session)).state !== 'running')
  const next = { ...spec, generation: 2 }
  await until('the next runner', async () => {
    try {
      await runtime.ensure(next)
      return true
    } catch (error) {
      expect(error).toMatchObject({ name: 'RuntimeError', reason: 'unavailable', retryable: true })
      return false
    }
  })
  await begun(runtime, spec.session)
  expect(await runtime.observe(spec.session)).toMatchObject({ state: 'running', generation: 2 })
  await runtime.remove(spec.session)
  await runtime.close()
})

test('a quota for pods holds a start up, and says so', async () => {
  const { runtime } = open({ quota: { hard: { pods: '0' } }, patience: { scheduleSeconds: 4 } })
  const spec = shop()
  await runtime.ensure(spec)
  const failed = await until('the trouble', async () => {
    const observation = await runtime.observe(spec.session)
    return observation.state === 'running' && observation.steps?.find(({ state }) => state === 'failed')
  })
  expect(failed).toMatchObject({ step: 'schedule', message: expect.stringContaining('exceeded quota') })
  const end = await until('the end', async () => {
    const observation = await runtime.observe(spec.session)
    return observation.state === 'ended' && observation
  })
  expect(end).toMatchObject({ reason: 'unschedulable', message: expect.stringContaining('exceeded quota') })
  await runtime.remove(spec.session)
  await runtime.close()
})

test('a quota for Jobs refuses a start, and nothing is left of it', async () => {
  const { runtime } = open({ quota: { hard: { 'count/jobs.batch': '0' } } })
  const spec = shop()
  const error = await runtime.ensure(spec).catch((thrown: unknown) => thrown)
  expect(isRuntimeError(error) && [error.reason, error.retryable]).toEqual(['quota', true])
  expect(await runtime.observe(spec.session)).toEqual({ state: 'absent', session: spec.session })
  await runtime.close()
})

test('an image of a project runs only where the operator allows it', async () => {
  const { runtime } = open({ images: { runner: testImage, pullPolicy: 'IfNotPresent', allowed: ['ok/*'] } })
  await expect(runtime.ensure(shop({ image: 'other/tools:1' }))).rejects.toMatchObject({
    reason: 'image',
    retryable: false,
    message: expect.stringContaining('allowed are ok/*'),
  })
  expect(await runtime.projects()).toEqual([])
  await runtime.close()
})
