import { type Permission, permissions, permissionsFor } from '@berth/runtime-kubernetes'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import {
  chart,
  example,
  examples,
  helm,
  type Manifest,
  manifestsOf,
  renderExample,
  template,
} from './support/helm.ts'

/** Made tokens are new with each rendering. */
const settled = (text: string) =>
  text
    .replace(/(owner-token|metrics-token|keys\.json|checksum-salt): \S{40,}/g, '$1: MADE')
    .replace(/(checksum\/\w+): \w{64}/g, '$1: SUM')

const rulesOf = (rows: readonly Permission[]) =>
  rows.map(({ apiGroup, resource, verbs }) => ({ apiGroups: [apiGroup], resources: [resource], verbs }))

const find = (manifests: Manifest[], kind: string): Manifest => {
  const found = manifests.find((manifest) => manifest.kind === kind)
  if (found === undefined) throw new Error(`There is no ${kind}.`)
  return found
}

describe.each(examples)('[P114] the example %s', (name) => {
  it('renders to what its snapshot shows', async () => {
    const { stdout, stderr } = await template(...example(name))
    expect(stderr).toBe('')
    await expect(settled(stdout)).toMatchFileSnapshot(`snapshots/${name}.yaml`)
  })

  it('has nothing that helm lint finds', async () => {
    const { code, stdout } = await helm(
      'lint',
      '--strict',
      chart,
      '--kube-version',
      '1.34.0',
      ...example(name),
    )
    expect([code, stdout.match(/\[(WARNING|ERROR)\].*/g)]).toEqual([0, null])
  })

  it('has names and labels by the convention', async () => {
    const manifests = await renderExample(name)
    for (const { apiVersion, kind, metadata } of manifests) {
      expect([kind, typeof apiVersion]).toEqual([kind, 'string'])
      expect(metadata.name).toMatch(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/)
      expect(metadata.labels).toMatchObject({
        'app.kubernetes.io/name': 'berth',
        'app.kubernetes.io/instance': 'berth',
        'app.kubernetes.io/managed-by': 'Helm',
        'app.kubernetes.io/part-of': 'berth',
      })
    }
    const names = manifests.map(
      ({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''} ${metadata.name}`,
    )
    expect(new Set(names).size).toBe(names.length)
  })

  it('asks for the rights that the runtime needs, and for no other', async () => {
    const manifests = await renderExample(name)
    const mode = name === 'locked-down' ? 'existing' : 'perProject'
    const role = mode === 'existing' ? 'Role' : 'ClusterRole'
    const reviews = permissions.filter((permission) => permission.mode === 'tokenReview')
    // Another one for the whole cluster, only where its tokens are taken.
    const more = name === 'production' ? [rulesOf(reviews)] : []
    const expected = [rulesOf(permissionsFor(mode)), ...more].map((rules) => ({ kind: role, rules }))
    const bindings = expected.map(() => ({ kind: `${role}Binding`, rules: undefined }))
    const roles = manifests.filter(({ kind }) => /Role/.test(kind))
    expect(roles.map(({ kind, rules }) => ({ kind, rules }))).toEqual([...expected, ...bindings])
  })

  it('runs each of its pods as the profile `restricted` wants it', async () => {
    for (const { kind, spec } of (await renderExample(name)) as (Manifest & { spec: PodOwner })[]) {
      const pod = kind === 'Pod' ? (spec as unknown as PodSpec) : spec?.template?.spec
      if (pod === undefined) continue
      expect(pod).toMatchObject({
        enableServiceLinks: false,
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      })
      expect(pod.automountServiceAccountToken).toBe(kind === 'Deployment')
      for (const container of pod.containers)
        expect(container).toMatchObject({
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
          resources: { requests: { memory: expect.anything() }, limits: { memory: expect.anything() } },
        })
    }
  })
})

interface PodSpec {
  automountServiceAccountToken: boolean
  containers: object[]
}
interface PodOwner {
  template?: { spec: PodSpec }
}

/** Options, and what the refusal says. */
const refused: [string, string[], RegExp][] = [
  ['two backends on SQLite', ['replicas=2'], /at '\/database\/kind': value must be 'postgres'/],
  [
    'an autoscaler on SQLite',
    ['autoscaling.enabled=true'],
    /at '\/database\/kind': value must be 'postgres'/,
  ],
  [
    'two backends on a directory',
    ['replicas=2', 'database.kind=postgres', 'database.postgres.existingSecret.name=x'],
    /at '\/blobs\/kind': value must be 's3'/,
  ],
  ['a value that is not there', ['replicaCount=1'], /additional properties 'replicaCount' not allowed/],
  [
    'an unknown database',
    ['database.kind=mysql'],
    /at '\/database\/kind': value must be one of 'sqlite', 'postgres'/,
  ],
  ['PostgreSQL without a URL', ['database.kind=postgres'], /set database\.postgres\.existingSecret\.name/],
  [
    'a URL of something else',
    ['database.kind=postgres', 'database.postgres.url=mysql://u:CANARY@h/d'],
    /database\.postgres\.url has to look like postgres:\/\/user/,
  ],
  ['S3 without a bucket', ['blobs.kind=s3'], /needs blobs\.s3\.bucket/],
  ['half of a pair of keys', ['blobs.s3.accessKeyId=a'], /go together/],
  [
    'an Ingress to the loopback',
    ['ingress.enabled=true'],
    /^.*ingress\.enabled would open the API.*auth\.allowRemoteOwner=true/m,
  ],
  ['a route to the loopback', ['httpRoute.enabled=true'], /httpRoute\.enabled would open the API/],
  ['metrics of the loopback', ['metrics.serviceMonitor.enabled=true'], /serviceMonitor\.enabled would open/],
  ['a node port to the loopback', ['service.type=NodePort'], /service\.type=NodePort would open/],
  ['an Ingress for any name', ['ingress.enabled=true', 'auth.allowRemoteOwner=true'], /needs ingress\.hosts/],
  [
    'a route of nobody',
    ['httpRoute.enabled=true', 'auth.allowRemoteOwner=true'],
    /needs httpRoute\.parentRefs/,
  ],
  ['a short token', ['auth.ownerToken=CANARY'], /at '\/auth\/ownerToken': minLength: got 6, want 32/],
  ['a token with spaces', [`auth.ownerToken=CANARY ${'x'.repeat(32)}`], /without spaces/],
  ['an issuer without a client', ['oidc.issuer=https://id.example'], /needs oidc\.clientId/],
  [
    'an issuer that leads nowhere back',
    ['oidc.issuer=https://id.example', 'oidc.clientId=berth'],
    /needs publicUrl: where the issuer/,
  ],
  ['a client of nobody', ['oidc.clientId=berth'], /needs oidc\.issuer/],
  ['an issuer in the clear', ['oidc.issuer=http://id.example'], /at '\/oidc\/issuer'/],
  ['an admin of no kind', ['admins={ada@example.com}'], /at '\/admins\/0'/],
  ['a proxy by name', ['trustedProxies={proxy.example}'], /at '\/trustedProxies\/0'/],
  ['no namespace', ['runners.namespaces.mode=existing'], /needs runners\.namespaces\.existing/],
  ['no amount', ['runners.volumes.session=much'], /at '\/runners\/volumes\/session'/],
  ['no digest', ['image.digest=latest'], /at '\/image\/digest'/],
  [
    'no time to end',
    ['terminationGracePeriodSeconds=16'],
    /has to be more than preStopSeconds, drainSeconds and 7/,
  ],
]

/** What the schema refuses first, in the chart's own words. */
const refusedByTemplate: [string[], RegExp][] = [
  [['replicas=2'], /database\.kind=sqlite is for one backend.*Set database\.kind=postgres, or replicas=1/],
  [['autoscaling.enabled=true'], /database\.kind=sqlite is for one backend/],
  [
    ['replicas=2', 'database.kind=postgres', 'database.postgres.existingSecret.name=x'],
    /blobs\.kind=directory is for one backend/,
  ],
]

const sets = (options: string[]) => options.flatMap((option) => ['--set', option])

describe('[P114] what can not work', () => {
  it.each(refused)('is refused: %s', async (_, options, message) => {
    const { code, stderr } = await template(...sets(options))
    expect(code).not.toBe(0)
    expect(stderr).toMatch(message)
    expect(stderr).not.toContain('CANARY')
  })

  it.each(refusedByTemplate)('is refused without the schema too: %j', async (options, message) => {
    const { code, stderr } = await template('--skip-schema-validation', ...sets(options))
    expect([code, stderr]).toEqual([1, expect.stringMatching(message)])
  })
})

describe('names', () => {
  it('stay short, however long those of release and namespace are', async () => {
    const release = 'a-release-with-a-name-that-is-as-long-as-helm-lets-it'
    const namespace = 'a-namespace-with-a-name-that-is-as-long-as-kubernetes-lets-it-b'
    const { stdout } = await helm(
      ...['template', release, chart, '--namespace', namespace, '--kube-version', '1.34.0'],
      ...example('production'),
    )
    for (const { metadata } of manifestsOf(stdout)) expect(metadata.name.length).toBeLessThanOrEqual(63)
    const { data } = manifestsOf(stdout).find(
      ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.endsWith('-kubernetes'),
    ) as Manifest & { data: Record<string, string> }
    expect(parse(data['kubernetes.yaml'] ?? '').instance.length).toBeLessThanOrEqual(63)
  })
})

describe('pods', () => {
  const annotations = async (...options: string[]) => {
    const { spec } = find(await renderExample('locked-down', ...sets(options)), 'Deployment') as Manifest & {
      spec: { template: { metadata: { annotations: Record<string, string> } } }
    }
    return spec.template.metadata.annotations
  }

  it('are made anew when their configuration changes, and not otherwise', async () => {
    const before = await annotations()
    expect(await annotations('service.port=80')).toEqual(before)
    expect(await annotations('logLevel=debug')).not.toEqual(before)
    expect(await annotations('runners.volumes.home=3Gi')).not.toEqual(before)
    expect(await annotations('settings.maxima.cpus=2')).not.toEqual(before)
    expect(await annotations('model.existingSecret.name=', 'model.apiKey=k')).not.toEqual(before)
  })
})
