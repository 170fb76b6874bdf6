import type { RuntimeFinding } from '@berth/runtime'
import type { V1SelfSubjectAccessReview } from '@kubernetes/client-node'
import type { Parts } from '../actions/parts.ts'
import { kinds } from '../api/resources.ts'
import { type Permission, permissionsFor, reviewPermissions } from '../permissions.ts'

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
  const rights = rightsOf(permissionsFor(namespace === undefined ? 'perProject' : 'existing'))
  return rightsFinding(await missingOf(api, rights, namespace), { count: rights.length, namespace })
}

/** Whether the backend may ask whose a token of the cluster is. What can't be checked is a finding too; never throws. */
export const checkReviewRight = async (api: Api): Promise<RuntimeFinding> => {
  const name = 'sign-in rights'
  try {
    const missing = await missingOf(api, rightsOf(reviewPermissions), undefined)
    if (missing.length === 0)
      return { name, state: 'ok', detail: 'the backend may ask the cluster whose a token is' }
    return {
      name,
      state: 'fail',
      detail: `the backend lacks, in the whole cluster, ${listed(missing)}: nobody can sign in with a token of the cluster`,
      repair:
        "Give it to the backend's service account by a ClusterRole: the chart does with tokenReview.enabled=true and rbac.create=true.",
    }
  } catch (error) {
    return {
      name,
      state: 'fail',
      detail:
        `the API server could not be asked: ${error instanceof Error ? error.message : String(error)}`.slice(
          0,
          3000,
        ),
      repair: 'See that the API server runs, accepts the backend, and can be reached from it.',
    }
  }
}

type Api = Parts['api']

const rightsOf = (needed: readonly Permission[]): Right[] =>
  needed.flatMap(({ verbs, apiGroup, resource, why }) =>
    verbs.map((verb) => ({ verb, apiGroup, resource, why })),
  )

const missingOf = async (
  api: Api,
  rights: readonly Right[],
  namespace: string | undefined,
): Promise<Right[]> => {
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
  return rights.filter((_, index) => answers[index] !== true)
}

/** By resource, with what each is for. */
const listed = (missing: readonly Right[]): string => {
  const byResource = new Map<string, Right[]>()
  for (const right of missing) {
    const name = right.apiGroup === '' ? right.resource : `${right.resource}.${right.apiGroup}`
    byResource.set(name, [...(byResource.get(name) ?? []), right])
  }
  return [...byResource]
    .map(([name, rights]) => `${name}: ${rights.map(({ verb }) => verb).join(', ')} (${rights[0]?.why})`)
    .join('; ')
}

/** Exported for its tests. */
export const rightsFinding = (
  missing: readonly Right[],
  { count, namespace }: { count: number; namespace: string | undefined },
): RuntimeFinding => {
  const where = namespace === undefined ? 'in all namespaces' : `in the namespace ${namespace}`
  if (missing.length === 0)
    return { name: 'rights', state: 'ok', detail: `the backend has all ${count} that it needs ${where}` }
  return {
    name: 'rights',
    state: 'fail',
    detail: `the backend lacks, ${where}, ${listed(missing)}`,
    repair:
      "Give them to the backend's service account: the chart does with rbac.create=true; otherwise add the verbs to its Role or ClusterRole.",
  }
}
