import {
  AuthorizationV1Api,
  type KubeConfig,
  RbacAuthorizationV1Api,
  type RbacV1Subject,
} from '@kubernetes/client-node'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { ClusterAccess } from './api/cluster-access.ts'
import { type Cluster, freshName, openCluster, testOptions } from './fixtures/cluster.ts'
import { makeSpec, until } from './fixtures/specs.ts'
import { testCommands } from './fixtures/test-programs.ts'
import { createKubernetesRuntime } from './kubernetes-runtime.ts'
import type { KubernetesOptions } from './options/schema.ts'
import { type Permission, permissionsFor } from './permissions.ts'

const home = freshName('berth-rights')
let cluster: Cluster
let access: ClusterAccess

beforeAll(async () => {
  cluster = openCluster()
  access = ClusterAccess.load()
  await cluster.makeNamespace(home)
})
afterAll(async () => {
  await cluster.deleteNamespace(home)
  await access.close()
  await cluster.close()
})

const rulesOf = (permissions: readonly Permission[]) =>
  permissions.map(({ apiGroup, resource, verbs }) => ({
    apiGroups: [apiGroup],
    resources: [resource],
    verbs: [...verbs],
  }))

/** The kubeconfig of a service account that has these rights and nothing else. */
const accountWith = async (mode: 'perProject' | 'existing') => {
  const name = freshName('backend')
  const rbac = access.makeApiClient(RbacAuthorizationV1Api)
  await cluster.core.createNamespacedServiceAccount({ namespace: home, body: { metadata: { name } } })
  const rules = rulesOf(permissionsFor(mode))
  const subjects: RbacV1Subject[] = [{ kind: 'ServiceAccount', name, namespace: home }]
  const metadata = { name }
  if (mode === 'existing') {
    await rbac.createNamespacedRole({ namespace: home, body: { metadata, rules } })
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name }
    await rbac.createNamespacedRoleBinding({ namespace: home, body: { metadata, roleRef, subjects } })
  } else {
    await rbac.createClusterRole({ body: { metadata, rules } })
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name }
    await rbac.createClusterRoleBinding({ body: { metadata, roleRef, subjects } })
  }
  const { status } = await cluster.core.createNamespacedServiceAccountToken({
    name,
    namespace: home,
    body: { spec: { audiences: [], expirationSeconds: 3600 } },
  })
  const dispose = async () => {
    if (mode === 'existing') return
    await rbac.deleteClusterRoleBinding({ name })
    await rbac.deleteClusterRole({ name })
  }
  return { kubeconfig: kubeconfigWith(access, status?.token ?? ''), dispose }
}

const kubeconfigWith = (config: KubeConfig, token: string): string => {
  const { server, caData, caFile, skipTLSVerify } = config.getCurrentCluster() ?? { server: '' }
  const at = {
    server,
    ...(caData && { 'certificate-authority-data': caData }),
    ...(caFile && { 'certificate-authority': caFile }),
    ...(skipTLSVerify && { 'insecure-skip-tls-verify': true }),
  }
  return stringify({
    clusters: [{ name: 'c', cluster: at }],
    users: [{ name: 'u', user: { token } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  })
}

test.each(['existing', 'perProject'] as const)(
  '[P120] with exactly the rights of the list and no more, everything works, and each of them is used: %s',
  async (mode) => {
    const { kubeconfig, dispose } = await accountWith(mode)
    const prefix = `${freshName('b')}-`
    const namespaces: KubernetesOptions['namespaces'] =
      mode === 'existing' ? { existing: home } : { perProject: { prefix } }
    const options = testOptions({
      instance: freshName('test'),
      namespaces,
      quota: { hard: { pods: '1' } },
      images: {
        runner: process.env.BERTH_TEST_IMAGE ?? 'docker.io/library/node:24-bookworm-slim',
        pullPolicy: 'IfNotPresent',
      },
    })
    const asked = new Set<string>()
    const open = () =>
      createKubernetesRuntime({
        kubeconfig,
        options,
        commands: testCommands,
        onRequest: ({ kind }, verb) => asked.add(`${kind.group}/${kind.resource} ${verb}`),
      })
    const runtime = open()
    const second = open()
    try {
      const spec = makeSpec()
      await runtime.ensure(spec)
      await until('the runner', async () => {
        const observation = await runtime.observe(spec.session)
        return observation.state === 'running' && observation.beganAt !== undefined
      })
      // Another backend finds the namespace, and makes sure of its labels.
      await second.ensure({ ...spec, generation: 2 })
      expect(await runtime.list()).toHaveLength(1)
      if (mode === 'perProject') await heldUpByQuota(runtime)
      await runtime.stop(spec.session, { graceMs: 1000 })
      await runtime.remove(spec.session)
      expect(await runtime.list()).toEqual([])
      for (const project of await runtime.projects()) await runtime.removeProject(project)
      expectRights(asked, mode)
    } finally {
      await Promise.all([runtime.close(), second.close()])
      await dispose()
      await cluster.deleteNamespace(`${prefix}default`)
    }
  },
)

/** One pod is all that the quota lets be: the next Job tells in its events why it has none. */
const heldUpByQuota = async (runtime: ReturnType<typeof createKubernetesRuntime>) => {
  const spec = makeSpec()
  await runtime.ensure(spec)
  await until('the reason', async () => {
    const observation = await runtime.observe(spec.session)
    return observation.state === 'running' && observation.steps?.some(({ state }) => state === 'failed')
  })
  await runtime.remove(spec.session)
}

/** Used when another backend was faster, after a kill, or where a quota is used up: other tests see to those. */
const rare = new Set(['/secrets delete', 'batch/jobs get', '/events list'])

const expectRights = (asked: Set<string>, mode: 'perProject' | 'existing') => {
  const listed = permissionsFor(mode).flatMap(({ apiGroup, resource, verbs }) =>
    verbs.map((verb) => `${apiGroup}/${resource} ${verb}`),
  )
  expect([...asked].filter((right) => !listed.includes(right))).toEqual([])
  // To apply an object takes both rights; only one of them is the verb of the request.
  const applied = /(networkpolicies|resourcequotas|limitranges) create$/
  expect(listed.filter((right) => !asked.has(right) && !rare.has(right) && !applied.test(right))).toEqual([])
}

test('[P120] Secrets can’t be read with them', async () => {
  const { kubeconfig, dispose } = await accountWith('perProject')
  const own = ClusterAccess.load(kubeconfig)
  const api = own.makeApiClient(AuthorizationV1Api)
  const verbs = ['get', 'list', 'watch', 'update', 'patch']
  const allowed = await Promise.all(
    verbs.map(async (verb) => {
      const spec = { resourceAttributes: { resource: 'secrets', verb, namespace: home } }
      return (await api.createSelfSubjectAccessReview({ body: { spec } })).status?.allowed
    }),
  )
  expect(allowed).toEqual(verbs.map(() => false))
  await own.close()
  await dispose()
})
