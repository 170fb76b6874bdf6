import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Cluster, freshName, openCluster, testOptions } from './fixtures/cluster.ts'
import { makeSpec, until } from './fixtures/specs.ts'
import { testCommands } from './fixtures/test-programs.ts'
import { createKubernetesRuntime } from './kubernetes-runtime.ts'
import { jobNameOf } from './names.ts'

const namespace = freshName('berth-killed')
let cluster: Cluster

beforeAll(async () => {
  cluster = openCluster()
  await cluster.makeNamespace(namespace)
})
afterAll(async () => {
  await cluster.deleteNamespace(namespace)
  await cluster.close()
})

/** A backend that dies right before its n-th request that changes something. */
const openMortal = (instance: string, deathAt: number) => {
  let changes = 0
  return createKubernetesRuntime({
    options: testOptions({ instance, namespaces: { existing: namespace } }),
    commands: testCommands,
    onRequest: ({ kind }, verb) => {
      const isChange = verb === 'create' || verb === 'patch' || verb === 'delete'
      if (isChange && kind.resource !== 'networkpolicies') changes++
      if (changes >= deathAt) throw new Error('killed')
    },
  })
}

/** What the cluster has of a session. */
const remains = async (session: string) => {
  const labelSelector = `berth.dev/session=${session}`
  const [secrets, pods] = await Promise.all([
    cluster.core.listNamespacedSecret({ namespace, labelSelector }),
    cluster.core.listNamespacedPod({ namespace, labelSelector }),
  ])
  return secrets.items.length + pods.items.length
}

test.each([1, 2, 3, 4])(
  '[P118] a backend that is killed before its change %d of a start leaves nothing half made',
  async (deathAt) => {
    const instance = freshName('test')
    const spec = makeSpec()
    const mortal = openMortal(instance, deathAt)
    await mortal.ensure(spec).catch(() => undefined)
    await mortal.close()

    const next = openMortal(instance, Number.POSITIVE_INFINITY)
    const isComplete = deathAt === 4
    expect((await next.observe(spec.session)).state).toBe(isComplete ? 'running' : 'absent')
    const token = isComplete ? spec.token : 'another-token'
    await next.ensure({ ...spec, token })
    await until('the runner', async () => {
      const observation = await next.observe(spec.session)
      return observation.state === 'running' && observation.beganAt !== undefined
    })
    const name = jobNameOf(spec.session, spec.generation)
    const secret = await cluster.core.readNamespacedSecret({ name, namespace })
    expect(Buffer.from(secret.data?.token ?? '', 'base64').toString()).toBe(token)
    expect(await cluster.pods(spec.session)).toHaveLength(1)
    await next.remove(spec.session)
    await until('that nothing is left', async () => (await remains(spec.session)) === 0)
    await next.close()
  },
)

test.each([1, 2, 3])(
  '[P118] what a backend leaves that is killed before its change %d of a start is swept',
  async (deathAt) => {
    const instance = freshName('test')
    const spec = makeSpec()
    const mortal = openMortal(instance, deathAt)
    await mortal.ensure(spec).catch(() => undefined)
    await mortal.close()

    const sweeper = openMortal(instance, Number.POSITIVE_INFINITY)
    for (const { session } of await sweeper.list()) await sweeper.remove(session)
    expect(await sweeper.list()).toEqual([])
    await until('that nothing is left', async () => (await remains(spec.session)) === 0)
    await sweeper.close()
  },
)

test.each([1, 2, 3, 4])(
  '[P118] a removal that is killed before its change %d is finished by the next',
  async (deathAt) => {
    const instance = freshName('test')
    const spec = makeSpec()
    const first = openMortal(instance, Number.POSITIVE_INFINITY)
    await first.ensure(spec)
    await until('the runner', async () => {
      const observation = await first.observe(spec.session)
      return observation.state === 'running' && observation.beganAt !== undefined
    })
    await first.close()
    const mortal = openMortal(instance, deathAt)
    await mortal.remove(spec.session).catch(() => undefined)
    await mortal.close()

    const next = openMortal(instance, Number.POSITIVE_INFINITY)
    await next.remove(spec.session)
    expect(await next.observe(spec.session)).toEqual({ state: 'absent', session: spec.session })
    expect(await next.list()).toEqual([])
    await until('that nothing is left', async () => (await remains(spec.session)) === 0)
    await next.close()
  },
)
