/** A kind of object of the API server that the adapter works with. */
export interface ResourceKind {
  /** Empty: the core group. */
  group: string
  resource: string
  namespaced: boolean
}

export const kinds = {
  jobs: { group: 'batch', resource: 'jobs', namespaced: true },
  pods: { group: '', resource: 'pods', namespaced: true },
  secrets: { group: '', resource: 'secrets', namespaced: true },
  events: { group: '', resource: 'events', namespaced: true },
  networkPolicies: { group: 'networking.k8s.io', resource: 'networkpolicies', namespaced: true },
  namespaces: { group: '', resource: 'namespaces', namespaced: false },
  quotas: { group: '', resource: 'resourcequotas', namespaced: true },
  limitRanges: { group: '', resource: 'limitranges', namespaced: true },
  tokenReviews: { group: 'authentication.k8s.io', resource: 'tokenreviews', namespaced: false },
  accessReviews: { group: 'authorization.k8s.io', resource: 'selfsubjectaccessreviews', namespaced: false },
} as const satisfies Record<string, ResourceKind>

/** Where an object or a list of them is. Without a namespace: all of them. */
export interface Place {
  kind: ResourceKind
  namespace?: string
  name?: string
}

/** The path of a place. Every part is encoded, so that no name can lead elsewhere. */
export const pathOf = ({ kind, namespace, name }: Place): string =>
  [
    kind.group === '' ? '/api/v1' : `/apis/${kind.group}/v1`,
    ...(kind.namespaced && namespace !== undefined ? ['namespaces', encodeURIComponent(namespace)] : []),
    kind.resource,
    ...(name === undefined ? [] : [encodeURIComponent(name)]),
  ].join('/')
