import type { Finding } from '@berth/contract'
import { amountOf } from './amount.ts'

/** Of `kubectl config view --minify`. */
interface KubeConfig {
  'current-context'?: string
  clusters?: { cluster?: { server?: string } }[]
}

/** Of `kubectl version`. */
interface KubeVersion {
  serverVersion?: { gitVersion?: string; major?: string; minor?: string }
}

/** The first version in which a sidecar is started before the containers that need it, unless it is switched off. */
const oldestMinor = 29

/** Which cluster the user's own configuration means. */
export const clusterFinding = (config: KubeConfig, version: KubeVersion): Finding => {
  const { gitVersion, major, minor } = version.serverVersion ?? {}
  const context = config['current-context'] ?? 'none'
  const server = config.clusters?.[0]?.cluster?.server ?? 'an unknown server'
  const detail = `context ${context}, ${server}, Kubernetes ${gitVersion ?? 'of an unknown version'}`
  // Managed clusters say `29+`.
  if (Number(major) === 1 && Number.parseInt(minor ?? '', 10) < oldestMinor)
    return {
      name: 'cluster',
      state: 'fail',
      detail,
      repair: `Berth needs Kubernetes 1.${oldestMinor} or newer, for sidecar containers: upgrade the cluster.`,
    }
  return { name: 'cluster', state: 'ok', detail }
}

/** Of `kubectl get namespace`. */
interface Namespace {
  metadata?: { name?: string; labels?: Record<string, string> }
}

const enforce = 'pod-security.kubernetes.io/enforce'

/** Whether the namespace of the runners lets only restricted pods in. */
export const namespaceFinding = ({ metadata }: Namespace): Finding => {
  const name = 'namespace'
  const namespace = metadata?.name ?? ''
  const level = metadata?.labels?.[enforce]
  if (level === 'restricted')
    return { name, state: 'ok', detail: `${namespace} enforces Pod Security "restricted"` }
  const detail =
    level === undefined
      ? `${namespace} enforces no Pod Security level of its own`
      : `${namespace} enforces Pod Security "${level}" only`
  return {
    name,
    state: 'warn',
    detail,
    repair: `kubectl label namespace ${namespace} ${enforce}=restricted --overwrite`,
  }
}

/** Of `kubectl get resourcequota`. */
interface Quotas {
  items?: {
    metadata?: { name?: string }
    status?: { hard?: Record<string, string>; used?: Record<string, string> }
  }[]
}

/** A share of a quota beyond which somebody should know. */
const almost = 0.9

/** What is left of each quota in the namespace. */
export const quotaFindings = ({ items = [] }: Quotas, namespace: string): Finding[] => {
  if (items.length === 0)
    return [{ name: 'quota', state: 'ok', detail: `${namespace} has none: only the nodes limit it` }]
  return items.map(({ metadata, status }) => {
    const quota = metadata?.name ?? ''
    const rows = Object.entries(status?.hard ?? {}).map(([resource, hard]) => {
      const used = status?.used?.[resource] ?? '0'
      const share = amountOf(hard) === 0 ? 1 : amountOf(used) / amountOf(hard)
      return { text: `${resource} ${used} of ${hard}`, share }
    })
    const most = Math.max(0, ...rows.map(({ share }) => share))
    const detail = `${quota} in ${namespace}: ${rows.map(({ text }) => text).join(', ') || 'nothing yet'}`
    if (most < almost) return { name: 'quota', state: 'ok', detail }
    return {
      name: 'quota',
      state: most >= 1 ? 'fail' : 'warn',
      detail,
      repair: `Raise ${quota} (the value of the chart, or kubectl edit resourcequota ${quota} -n ${namespace}), or stop sessions.`,
    }
  })
}
