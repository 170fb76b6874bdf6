import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Cluster, freshName, openCluster, testOptions } from './fixtures/cluster.ts'
import { type FlakyProxy, startFlakyProxy } from './fixtures/flaky-proxy.ts'
import { makeSpec, until } from './fixtures/specs.ts'
import { testCommands } from './fixtures/test-programs.ts'
import { createKubernetesRuntime } from './kubernetes-runtime.ts'

const namespace = freshName('berth-server')
let cluster: Cluster

beforeAll(async () => {
  cluster = openCluster()
  await cluster.makeNamespace(namespace)
})
afterAll(async () => {
  await cluster.deleteNamespace(namespace)
  await cluster.close()
})

type Runtime = ReturnType<typeof createKubernetesRuntime>

const withProxy = async (run: (runtime: Runtime, proxy: FlakyProxy) => Promise<void>, retries = 10) => {
  const proxy = await startFlakyProxy()
  const instance = freshName('test')
  const options = testOptions({
    instance,
    namespaces: { existing: namespace },
    api: { retries, timeoutMs: 5000 },
  })
  const runtime = createKubernetesRuntime({ options, commands: testCommands, kubeconfig: proxy.kubeconfig })
  try {
    await run(runtime, proxy)
  } finally {
    proxy.up()
    for (const { session } of await runtime.list()) await runtime.remove(session)
    await runtime.close()
    await proxy.close()
  }
}

const begun = (runtime: Runtime, session: string) =>
  until('the runner', async () => {
    const observation = await runtime.observe(session)
    return observation.state === 'running' && observation.beganAt !== undefined
  })

const kill = async (session: string) => {
  for (const pod of await cluster.pods(session))
    await cluster.exec(pod, 'runner', ['sh', '-c', 'kill -USR2 1'])
}

test('[P122] while the API server is away nothing is concluded, and what was asked for meanwhile is done when it is back', async () => {
  await withProxy(async (runtime, proxy) => {
    const [one, two] = [makeSpec(), makeSpec()]
    await runtime.ensure(one)
    await begun(runtime, one.session)
    const hints: string[] = []
    runtime.watch((session) => void hints.push(session))
    proxy.down()
    const started = runtime.ensure(two)
    const seen = runtime.observe(one.session)
    await kill(one.session)
    hints.length = 0
    proxy.up()
    expect((await seen).state).not.toBe('absent')
    await started
    await begun(runtime, two.session)
    await until('a hint', async () => hints.includes(one.session))
    const end = await until('the end', async () => {
      const observation = await runtime.observe(one.session)
      return observation.state === 'ended' && observation
    })
    expect(end).toMatchObject({ reason: 'killed' })
  })
})

test('[P122] as long as it is away, each question is answered with an error that says so', async () => {
  await withProxy(async (runtime, proxy) => {
    const spec = makeSpec()
    await runtime.ensure(spec)
    proxy.down()
    const away = { name: 'RuntimeError', reason: 'unavailable', retryable: true }
    await until('an error', async () =>
      runtime.observe(spec.session).then(
        () => false,
        () => true,
      ),
    )
    await expect(runtime.observe(spec.session)).rejects.toMatchObject(away)
    await expect(runtime.ensure(makeSpec())).rejects.toMatchObject(away)
    await expect(runtime.list()).rejects.toMatchObject(away)
  }, 0)
})

test('[P122] a watch that is silently dead is noticed', async () => {
  await withProxy(async (runtime, proxy) => {
    const spec = makeSpec()
    await runtime.ensure(spec)
    await begun(runtime, spec.session)
    proxy.freeze()
    await kill(spec.session)
    const end = await until('the end', async () => {
      const observation = await runtime.observe(spec.session)
      return observation.state === 'ended' && observation
    })
    expect(end).toMatchObject({ reason: 'killed' })
  })
})
