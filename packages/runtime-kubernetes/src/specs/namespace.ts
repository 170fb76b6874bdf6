import type { V1LimitRange, V1Namespace, V1ResourceQuota } from '@kubernetes/client-node'
import { labels, namespaceOf, ownLabels } from '../names.ts'
import type { CompiledOptions } from '../options/schema.ts'

/** The namespace of a project: nothing but pods of the restricted profile may run there. */
export const namespaceSpec = (options: CompiledOptions, project: string): V1Namespace => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: {
    name: namespaceOf(options, project),
    labels: {
      ...ownLabels(options),
      [labels.partOf]: 'berth',
      [labels.project]: project,
      'pod-security.kubernetes.io/enforce': 'restricted',
      'pod-security.kubernetes.io/audit': 'restricted',
      'pod-security.kubernetes.io/warn': 'restricted',
    },
  },
})

/** What a project may use of the cluster. */
export const quotaSpec = (options: CompiledOptions, namespace: string): V1ResourceQuota => ({
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name: 'berth', namespace, labels: ownLabels(options) },
  spec: { hard: options.quota.hard },
})

/** Limits of containers that say none themselves, e.g. of what an operator runs there for a look. */
export const limitRangeSpec = (options: CompiledOptions, namespace: string): V1LimitRange => ({
  apiVersion: 'v1',
  kind: 'LimitRange',
  metadata: { name: 'berth', namespace, labels: ownLabels(options) },
  spec: {
    limits: [{ type: 'Container', ...containerDefaults(options) }],
  },
})

const containerDefaults = ({ quota }: CompiledOptions) => ({
  default: quota.containerDefault,
  defaultRequest: quota.containerDefault,
})
