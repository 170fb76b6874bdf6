import type { V1NetworkPolicy, V1NetworkPolicyPeer } from '@kubernetes/client-node'
import { ownLabels } from '../names.ts'
import type { CompiledOptions } from '../options/schema.ts'

type Place = CompiledOptions['network']['backend']

/** Nothing gets in; out goes what is for the backend's port for runners, and questions for names. */
export const networkPolicySpec = (options: CompiledOptions, namespace: string): V1NetworkPolicy => {
  const { backend, port, dns } = options.network
  // In a namespace of a project's own the policy is for everything; elsewhere, for what this installation makes.
  const podSelector = 'existing' in options.namespaces ? { matchLabels: ownLabels(options) } : {}
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: {
      name: `berth-sessions-${options.instance}`.slice(0, 63),
      namespace,
      labels: ownLabels(options),
    },
    spec: {
      podSelector,
      policyTypes: ['Ingress', 'Egress'],
      ingress: [],
      egress: [
        { to: peers(backend), ports: [{ protocol: 'TCP', port }] },
        {
          to: peers(dns),
          ports: [
            { protocol: 'UDP', port: 53 },
            { protocol: 'TCP', port: 53 },
          ],
        },
      ],
    },
  }
}

const peers = (place: Place): V1NetworkPolicyPeer[] =>
  'cidrs' in place
    ? place.cidrs.map((cidr) => ({ ipBlock: { cidr } }))
    : [
        {
          namespaceSelector: { matchLabels: place.namespaceLabels },
          podSelector: { matchLabels: place.podLabels },
        },
      ]
