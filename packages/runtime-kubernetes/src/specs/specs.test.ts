import type { RunnerSpec } from '@berth/runtime'
import type { V1Job } from '@kubernetes/client-node'
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { compileOptions } from '../options/read-options.ts'
import type { KubernetesOptions } from '../options/schema.ts'
import { amountOf } from '../options/values.ts'
import { permissions } from '../permissions.ts'
import { defaultCommands } from './containers.ts'
import { jobSpec, secretSpec } from './job.ts'
import { limitRangeSpec, namespaceSpec, quotaSpec } from './namespace.ts'
import { networkPolicySpec } from './network-policy.ts'

const spec: RunnerSpec = {
  session: 'ses_01jb9w3k8m4n5p6q7r8s9t0v1w',
  project: 'web-shop',
  generation: 3,
  backendUrl: 'http://berth-runners.berth.svc:7421',
  token: 'brt_secret',
  limits: { memoryBytes: 4 * 2 ** 30, processes: 1024, milliCpus: 2500 },
}
const minimal: KubernetesOptions = { images: { runner: 'berth-runner:1.0' } }
const everything: KubernetesOptions = {
  instance: 'team-a',
  namespaces: { existing: 'sessions' },
  images: {
    runner: 'berth-runner:1.0',
    allowed: ['registry.example.com/team/*'],
    pullPolicy: 'IfNotPresent',
    pullSecrets: ['registry'],
  },
  placement: {
    runtimeClassName: 'gvisor',
    nodeSelector: { pool: 'agents' },
    tolerations: [{ key: 'agents', operator: 'Exists', effect: 'NoSchedule' }],
    affinity: { nodeAffinity: {} },
    priorityClassName: 'low',
  },
  network: { backend: { cidrs: ['10.1.2.3/32'] }, port: 8000 },
}

const jobOf = (options: KubernetesOptions, over: Partial<RunnerSpec> = {}): V1Job =>
  jobSpec({ options: compileOptions(options), commands: defaultCommands, spec: { ...spec, ...over } })

const shows = (file: string, objects: object[]) =>
  expect(
    objects
      .map((object) => stringify(object, { aliasDuplicateObjects: false, lineWidth: 120 }))
      .join('---\n'),
  ).toMatchFileSnapshot(`snapshots/${file}.yaml`)

test('the namespace of a project and what is in it before its first session', () => {
  const options = compileOptions(minimal)
  return shows('project', [
    namespaceSpec(options, 'web-shop'),
    quotaSpec(options, 'berth-web-shop'),
    limitRangeSpec(options, 'berth-web-shop'),
    networkPolicySpec(options, 'berth-web-shop'),
  ])
})

test('a generation: its Job and its Secret', () => {
  const options = compileOptions(minimal)
  return shows('generation', [jobOf(minimal), secretSpec({ options, spec }, 'uid-of-the-job')])
})

test('a generation with everything set, in an existing namespace, with an image of the team’s', () =>
  shows('generation-with-everything', [
    jobOf(everything, {
      image: 'registry.example.com/team/tools:1',
      deadlineMs: 3_600_000,
      env: { EXTRA: '1' },
    }),
    networkPolicySpec(compileOptions(everything), 'sessions'),
  ]))

test('[S4] who owns a session stands in nothing that is written to the cluster', () => {
  const owned = { ...spec, owner: 'CANARY-owner', actor: { id: 'CANARY-owner' } }
  const options = compileOptions(minimal)
  const objects = [jobOf(minimal, owned), secretSpec({ options, spec: owned }, 'uid-of-the-job')]
  expect(JSON.stringify(objects)).not.toContain('CANARY')
})

test('[S6, S12] the rights hold no reading of Secrets, no impersonation and no wildcard', () => {
  const secrets = permissions.filter(({ resource }) => resource.startsWith('secrets'))
  expect(secrets.flatMap(({ verbs }) => verbs).sort()).toEqual(['create', 'delete'])
  const all = permissions.flatMap(({ apiGroup, resource, verbs }) => [apiGroup, resource, ...verbs])
  for (const word of ['*', 'impersonate', 'escalate', 'bind']) expect(all).not.toContain(word)
  expect(all.join(' ')).not.toMatch(
    /\b(roles|rolebindings|clusterroles|clusterrolebindings|serviceaccounts)\b/,
  )
})

const podOf = (job: V1Job) => {
  const pod = job.spec?.template.spec
  return { pod, containers: [...(pod?.initContainers ?? []), ...(pod?.containers ?? [])] }
}

test('the token is in no value, and nothing that others write can ask for it', () => {
  const env = { A: '$(BERTH_RUNNER_TOKEN)', B: '$$(BERTH_RUNNER_TOKEN)', BERTH_RUNNER_TOKEN: 'another' }
  const job = jobOf(minimal, { env })
  expect(JSON.stringify(job)).not.toContain(spec.token)
  const runner = podOf(job).containers.find(({ name }) => name === 'runner')
  const value = (name: string) => runner?.env?.filter((variable) => variable.name === name)
  expect(value('A')).toEqual([{ name: 'A', value: '$$(BERTH_RUNNER_TOKEN)' }])
  expect(value('B')).toEqual([{ name: 'B', value: '$$$$(BERTH_RUNNER_TOKEN)' }])
  expect(value('BERTH_RUNNER_TOKEN')).toMatchObject([{ valueFrom: { secretKeyRef: { key: 'token' } } }])
})

test('[S11, S13] every container is confined, and only the runner has a token, and no key of any storage', () => {
  for (const { name, securityContext, env, volumeMounts } of podOf(jobOf(everything, { image: 'a/b:1' }))
    .containers) {
    expect(securityContext, name).toMatchObject({
      runAsNonRoot: true,
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    })
    const given = env
      ?.filter(({ valueFrom }) => valueFrom !== undefined)
      .map(({ name: variable }) => variable)
    expect(given ?? [], name).toEqual(name === 'runner' ? ['BERTH_RUNNER_TOKEN'] : [])
    const door = volumeMounts?.some(({ name: volume, subPath }) => volume === 'sockets' && subPath === 'door')
    expect(door).toBe(name === 'agent')
  }
})

test('what the volumes can hold fits in the limits on disk', () => {
  const { pod, containers } = podOf(jobOf(minimal))
  const volumes = pod?.volumes?.filter(({ emptyDir }) => emptyDir?.medium === undefined) ?? []
  const room = volumes.reduce((sum, { emptyDir }) => sum + amountOf(emptyDir?.sizeLimit ?? '0'), 0)
  const limit = containers.reduce(
    (sum, { resources }) => sum + amountOf(resources?.limits?.['ephemeral-storage'] ?? '0'),
    0,
  )
  expect(limit).toBeGreaterThan(room)
})

test('the deadline of a session is the Job’s, a little later, and never beyond the operator’s', () => {
  const deadline = (deadlineMs?: number) => jobOf(minimal, { deadlineMs }).spec?.activeDeadlineSeconds
  expect([deadline(), deadline(60_500), deadline(Number.MAX_SAFE_INTEGER)]).toEqual([604_800, 361, 604_800])
})
