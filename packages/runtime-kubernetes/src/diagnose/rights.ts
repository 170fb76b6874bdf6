import type { RuntimeFinding } from '@berth/runtime'
import type { V1SelfSubjectAccessReview } from '@kubernetes/client-node'
import type { Parts } from '../actions/parts.ts'
import { kinds } from '../api/resources.ts'
import { type Permission, permissionsFor } from '../permissions.ts'

/** One verb on one resource. */
interface Right extends Pick<Permission, 'apiGroup' | 'resource' | 'why'> {
  verb: string
}

/** Asks the API server about each right of the one list, as the service account that asks for everything else. */
export const checkRights = async ({
  api,
  options,
}: Pick<Parts, 'api' | 'options'>): Promise<RuntimeFinding> => {
  const namespace = 'existing' in options.namespaces ? options.namespaces.existing : undefined
  const rights = permissionsFor(namespace === undefined ? 'perProject' : 'existing').flatMap(
    ({ verbs, apiGroup, resource, why }): Right[] => verbs.map((verb) => ({ verb, apiGroup, resource, why })),
  )
  const has = async ({ verb, apiGroup: group, resource }: Right) => {
    const resourceAttributes = { verb, group, resource, namespace }
    const { status } = await api.create<V1SelfSubjectAccessReview>(
      { kind: kinds.accessReviews },
      {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        spec: { resourceAttributes },
      },
    )
    return status?.allowed === true
  }
  const answers = await Promise.all(rights.map(has))
  return rightsFinding(
    rights.filter((_, index) => answers[index] !== true),
    { count: rights.length, namespace },
  )
}

/** Exported for its tests. */
export const rightsFinding = (
  missing: readonly Right[],
  { count, namespace }: { count: number; namespace: string | undefined },
): RuntimeFinding => {
  const where = namespace === undefined ? 'in all namespaces' : `in the namespace ${namespace}`
  if (missing.length === 0)
    return { name: 'rights', state: 'ok', detail: `the backend has all ${count} that it needs ${where}` }
  const byResource = new Map<string, Right[]>()
  for (const right of missing) {
    const name = right.apiGroup === '' ? right.resource : `${right.resource}.${right.apiGroup}`
    byResource.set(name, [...(byResource.get(name) ?? []), right])
  }
  const lines = [...byResource].map(
    ([name, rights]) => `${name}: ${rights.map(({ verb }) => verb).join(', ')} (${rights[0]?.why})`,
  )
  return {
    name: 'rights',
    state: 'fail',
    detail: `the backend lacks, ${where}, ${lines.join('; ')}`,
    repair:
      "Give them to the backend's service account: the chart does with rbac.create=true; otherwise add the verbs to its Role or ClusterRole.",
  }
}
