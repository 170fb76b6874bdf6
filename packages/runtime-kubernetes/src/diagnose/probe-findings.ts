import type { RuntimeFinding } from '@berth/runtime'
import type { CompiledOptions } from '../options/schema.ts'
import type { ProbeReport } from './probe-program.ts'
import type { ProbeOutcome } from './run-probe.ts'

type Options = Pick<CompiledOptions, 'images' | 'placement' | 'network'>

const fail = (name: string, detail: string, repair: string): RuntimeFinding => ({
  name,
  state: 'fail',
  detail: detail.slice(0, 3000),
  repair,
})

const pss = 'pod-security.kubernetes.io/enforce=restricted'

/** What the cluster says against the pod of a Job, and what helps: the first that fits. */
const refusals: readonly { words: RegExp; name: string; repair: string }[] = [
  {
    words: /exceeded quota/,
    name: 'quota',
    repair: 'Raise the ResourceQuota of the namespace, or stop sessions.',
  },
  {
    words: /violates PodSecurity/,
    name: 'Pod Security',
    repair:
      'Pods of Berth keep to the restricted profile; something adds to them. Look for a mutating webhook.',
  },
  {
    words: /RuntimeClass/i,
    name: 'RuntimeClass',
    repair:
      'kubectl get runtimeclass; install the one of placement.runtimeClassName, or take that option away.',
  },
  {
    words: /PriorityClass/i,
    name: 'PriorityClass',
    repair:
      'kubectl get priorityclass; make the one of placement.priorityClassName, or take that option away.',
  },
]

/** Why no pod of Berth runs there; undefined: one did. */
export const startFinding = (outcome: ProbeOutcome, { images }: Options): RuntimeFinding | undefined => {
  if (outcome.kind === 'refused') {
    const { name, repair } = refusals.find(({ words }) => words.test(outcome.message)) ?? {
      name: 'pod',
      repair: 'An admission webhook or a policy of the cluster refuses it: let pods of Berth in.',
    }
    return fail(name, `the cluster makes no pod: ${outcome.message}`, repair)
  }
  if (outcome.kind === 'late')
    return fail(
      'pod',
      outcome.message,
      'The cluster is slow or its controllers are busy: look at kubectl get events, then ask again.',
    )
  if (outcome.kind !== 'trouble') return undefined
  const { kind, message } = outcome.trouble
  if (kind === 'schedule')
    return fail(
      'nodes',
      message,
      'Add nodes with room, or correct placement (nodeSelector, tolerations, affinity).',
    )
  if (kind === 'image')
    return fail(
      'image',
      message,
      `Push ${images.agent === undefined ? images.runner : `${images.runner} and ${images.agent}`} where the nodes can pull, and name its Secret in images.pullSecrets if the registry needs one.`,
    )
  return fail(
    'container',
    message,
    'Look at it with kubectl describe pod; a RuntimeClass may have no handler on the node.',
  )
}

/** What a probe that ended found out. */
export const probeFindings = (
  outcome: ProbeOutcome,
  options: Options,
  backendUrl: string,
): RuntimeFinding[] => {
  const start = startFinding(outcome, options)
  if (start !== undefined) return [start]
  const { runtimeClassName } = options.placement
  const started: RuntimeFinding[] = [
    { name: 'image', state: 'ok', detail: `${options.images.runner} starts on a node` },
    ...(runtimeClassName === undefined
      ? []
      : [{ name: 'RuntimeClass', state: 'ok' as const, detail: `pods run with ${runtimeClassName}` }]),
  ]
  const message = outcome.kind === 'ended' ? outcome.message : outcome.kind
  const report = parseReport(message)
  if (report === undefined)
    return [
      fail(
        'image',
        `the probe in ${options.images.runner} did not report: ${message}`,
        'Use the image for runners of this version of Berth.',
      ),
    ]
  return [...started, ...networkFindings(report, options, backendUrl)]
}

const networkFindings = (
  { lookUp, backend, forbidden }: ProbeReport,
  { network }: Options,
  backendUrl: string,
): RuntimeFinding[] => [
  lookUp === 'ok'
    ? { name: 'DNS', state: 'ok', detail: 'a pod finds names of the cluster' }
    : fail(
        'DNS',
        `a pod can't look up a name of the cluster (${lookUp})`,
        'Set network.dns to the labels of the pods that answer names (or their addresses), and see that they run.',
      ),
  backend === 'ok'
    ? { name: 'runner port', state: 'ok', detail: `a pod reaches ${backendUrl}` }
    : fail(
        'runner port',
        `a pod can't reach ${backendUrl} (${backend})`,
        'Set BERTH_RUNNER_URL to a Service of the runner port, and network.backend and network.port to the labels and port of the pods behind it; let other policies pass it.',
      ),
  isolationFinding(forbidden, network.policy),
]

const isolationFinding = (forbidden: Record<string, string>, policy: 'managed' | 'none'): RuntimeFinding => {
  const name = 'isolation'
  const open = Object.keys(forbidden).filter((target) => forbidden[target] === 'open')
  if (open.length === 0)
    return { name, state: 'ok', detail: `a pod can't reach ${Object.keys(forbidden).join(', ')}` }
  if (policy === 'none')
    return {
      name,
      state: 'warn',
      detail: `a pod reaches ${open.join(', ')}; network.policy is "none"`,
      repair: 'Set network.policy to "managed", or see that policies of your own close these.',
    }
  return fail(
    name,
    `a pod reaches ${open.join(', ')}: the NetworkPolicy is not enforced, or another one allows it`,
    'Install a network plugin that enforces NetworkPolicy (Calico, Cilium, …), and look for policies in the namespace that allow more. Until then agents are not kept from the network.',
  )
}

const parseReport = (text: string): ProbeReport | undefined => {
  try {
    const value = JSON.parse(text) as Partial<ProbeReport>
    const { lookUp, backend, forbidden } = value
    return lookUp === undefined || backend === undefined || forbidden === undefined
      ? undefined
      : { lookUp, backend, forbidden }
  } catch {
    return undefined
  }
}

/** Whether a pod as root was kept out, as it must be. */
export const rootFinding = (outcome: ProbeOutcome, namespace: string): RuntimeFinding => {
  const name = 'Pod Security'
  if (outcome.kind === 'refused')
    return outcome.message.includes('violates PodSecurity')
      ? { name, state: 'ok', detail: `${namespace} refuses a pod as root` }
      : {
          name,
          state: 'warn',
          detail: `a pod as root was refused for another reason: ${outcome.message.slice(0, 1000)}`,
        }
  if (outcome.kind === 'late' && !outcome.made)
    return { name, state: 'warn', detail: `not checked: ${outcome.message}, and nothing says why` }
  return fail(
    name,
    `${namespace} lets a pod as root in`,
    `kubectl label namespace ${namespace} ${pss} --overwrite`,
  )
}
