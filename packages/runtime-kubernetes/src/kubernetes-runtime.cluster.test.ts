import { runtimeConformance } from '@berth/runtime/conformance'
import { afterAll, beforeAll } from 'vitest'
import { freshName, openCluster } from './fixtures/cluster.ts'
import { makeKubernetesHarness } from './fixtures/kubernetes-harness.ts'

const cluster = openCluster()
const namespace = freshName('berth-conformance')

beforeAll(() => cluster.makeNamespace(namespace))
afterAll(async () => {
  await cluster.deleteNamespace(namespace)
  await cluster.close()
})

runtimeConformance('kubernetes', async () => makeKubernetesHarness(cluster, namespace), {
  patienceMs: 60_000,
})
