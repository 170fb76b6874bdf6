import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { examples, type Manifest, renderExample } from './support/helm.ts'
import { kubectl } from './support/kubectl.ts'

const namespace = `berth-chart-${randomBytes(4).toString('hex')}`

/** Kinds that a cluster has only when somebody has installed them. */
const isExtra = ({ apiVersion }: Manifest) =>
  /^(gateway\.networking\.k8s\.io|monitoring\.coreos\.com)\//.test(apiVersion)

beforeAll(async () => {
  await kubectl(['create', 'namespace', namespace])
  // The API server warns of each pod that the profile would refuse.
  await kubectl(['label', 'namespace', namespace, 'pod-security.kubernetes.io/warn=restricted'])
  await kubectl(['label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted'])
})
afterAll(async () => {
  await kubectl(['delete', 'namespace', namespace, '--wait=false'])
})

describe.each(examples)('[P114] the example %s', (name) => {
  it('is taken by the API server, every field, without a warning', async () => {
    const manifests = await renderExample(name, '--namespace', namespace)
    const known = manifests
      .filter((manifest) => !isExtra(manifest))
      // Only for a look: its own namespaces are not there.
      .map((manifest) => ({ ...manifest, metadata: { ...manifest.metadata, namespace: undefined } }))
    expect(known.length).toBeGreaterThan(8)
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: known })
    const answer = await kubectl(
      ['--namespace', namespace, 'apply', '--dry-run=server', '--validate=strict', '--filename', '-'],
      list,
    )
    expect(answer).not.toMatch(/warning/i)
    expect(answer.trim().split('\n')).toHaveLength(known.length)
  })
})
