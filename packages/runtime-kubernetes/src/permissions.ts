/** A right that the adapter needs, as a Kubernetes role names it. */
export interface Permission {
  /** Empty: the core group. */
  apiGroup: string
  resource: string
  verbs: readonly string[]
  /**
   * `perProject`: needed only when every project has a namespace of its own; `tokenReview`: in the whole cluster, and only where
   * tokens of the cluster are taken.
   */
  mode: 'always' | 'perProject' | 'tokenReview'
  /** What it is for: the chart prints it beside the rule. */
  why: string
}

/**
 * All that the adapter asks of the API server, and no more: a test compares it with the requests that are made, and another
 * runs the adapter with nothing else. With a namespace for each project the rows `always` and `perProject` are
 * needed in every namespace (a ClusterRole); with one existing namespace, the rows `always` in that one (a Role). The rows `tokenReview` are a ClusterRole of
 * their own.
 */
export const permissions: readonly Permission[] = [
  {
    apiGroup: 'batch',
    resource: 'jobs',
    verbs: ['create', 'delete', 'get', 'list', 'patch', 'watch'],
    mode: 'always',
    why: 'a Job for each generation of a runner',
  },
  {
    apiGroup: '',
    resource: 'pods',
    verbs: ['delete', 'list', 'watch'],
    mode: 'always',
    why: 'how the pods of the Jobs do; ends them',
  },
  {
    apiGroup: '',
    resource: 'secrets',
    verbs: ['create', 'delete'],
    mode: 'always',
    why: 'the token of a generation; Secrets are never read',
  },
  {
    apiGroup: '',
    resource: 'events',
    verbs: ['list'],
    mode: 'always',
    why: 'why the pod of a Job can not be made, e.g. a quota',
  },
  {
    apiGroup: 'networking.k8s.io',
    resource: 'networkpolicies',
    verbs: ['create', 'patch'],
    mode: 'always',
    why: 'pods reach the port for runners and the DNS, and nothing else',
  },
  {
    apiGroup: '',
    resource: 'namespaces',
    verbs: ['create', 'delete', 'get', 'list', 'patch'],
    mode: 'perProject',
    why: 'a namespace for each project',
  },
  {
    apiGroup: '',
    resource: 'resourcequotas',
    verbs: ['create', 'patch'],
    mode: 'perProject',
    why: 'what a project may use of the cluster',
  },
  {
    apiGroup: '',
    resource: 'limitranges',
    verbs: ['create', 'patch'],
    mode: 'perProject',
    why: 'limits of what says none itself',
  },
  {
    apiGroup: 'authentication.k8s.io',
    resource: 'tokenreviews',
    verbs: ['create'],
    mode: 'tokenReview',
    why: 'whose a token of this cluster is',
  },
]

/** The rows that count for these namespaces, whoever signs in. */
export const permissionsFor = (mode: 'perProject' | 'existing'): readonly Permission[] =>
  permissions.filter((permission) => permission.mode === 'always' || permission.mode === mode)

/** The rows that count where tokens of the cluster are taken. */
export const reviewPermissions: readonly Permission[] = permissions.filter(
  ({ mode }) => mode === 'tokenReview',
)
