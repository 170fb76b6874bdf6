import { randomBytes } from 'node:crypto'
import type { DiagnoseOptions, RuntimeDiagnosis, RuntimeFinding } from '@berth/runtime'
import type { V1ResourceQuota } from '@kubernetes/client-node'
import type { Parts } from '../actions/parts.ts'
import type { ProjectHomes } from '../actions/project-home.ts'
import { kinds } from '../api/resources.ts'
import { toRuntimeError } from '../api/runtime-errors.ts'
import { namespaceOf } from '../names.ts'
import { quotaSpec } from '../specs/namespace.ts'
import { probeFindings, rootFinding, startFinding } from './probe-findings.ts'
import {
  listenPort,
  listenProgram,
  type ProbeTarget,
  type ProbeTask,
  probeProgram,
  taskVariable,
} from './probe-program.ts'
import { needOf, quotaFinding } from './quota-room.ts'
import { checkRights } from './rights.ts'
import { runProbe } from './run-probe.ts'

export interface DiagnoseParts extends Pick<Parts, 'api' | 'options' | 'commands'> {
  homes: Pick<ProjectHomes, 'prepare' | 'forget'>
}

/** Of a session whose project sets nothing. */
const defaultLimits = { memoryBytes: 4096 * 2 ** 20, milliCpus: 4000 }

/** What no pod of a runner may reach, besides other pods. The last one stands for the world outside. */
const forbidden: readonly ProbeTarget[] = [
  { name: 'the API server', host: 'KUBERNETES', port: 443 },
  { name: 'the metadata of the cloud', host: '169.254.169.254', port: 80 },
  { name: 'addresses outside', host: '1.1.1.1', port: 443 },
]

/**
 * Looks at the cluster with the rights that runners are started with, and from pods like theirs. It makes the namespace of
 * the project as the first session would, and Jobs that it removes again.
 */
export const diagnose = async (parts: DiagnoseParts, options: DiagnoseOptions): Promise<RuntimeDiagnosis> => {
  const namespace = namespaceOf(parts.options, options.project)
  const findings: RuntimeFinding[] = []
  try {
    findings.push(await checkRights(parts))
    // Somebody may have changed or deleted it since it was made.
    parts.homes.forget(options.project)
    await parts.homes.prepare(options.project)
    findings.push(...(await checkRoom(parts, namespace)))
    findings.push(...(await checkPods(parts, options, namespace)))
  } catch (error) {
    const { message } = toRuntimeError(error, `be checked in the namespace ${namespace}`)
    findings.push({
      name: 'cluster access',
      state: 'fail',
      detail: message.slice(0, 3000),
      repair:
        'See that the API server runs and accepts the backend, that the namespace is there, and that no right is missing.',
    })
  }
  return { namespace, findings }
}

/** In a namespace of a project's own the quota is Berth's: applying it again shows what is used of it. */
const checkRoom = async ({ api, options }: DiagnoseParts, namespace: string): Promise<RuntimeFinding[]> => {
  if ('existing' in options.namespaces) return []
  const place = { kind: kinds.quotas, namespace, name: 'berth' }
  const { status } = await api.apply<V1ResourceQuota>(place, quotaSpec(options, namespace))
  return [quotaFinding(namespace, status ?? {}, needOf(options, defaultLimits))]
}

const checkPods = async (
  parts: DiagnoseParts,
  { project, backendUrl }: DiagnoseOptions,
  namespace: string,
): Promise<RuntimeFinding[]> => {
  const id = randomBytes(4).toString('hex')
  const named = (what: string) => ({ name: `berth-doctor-${what}-${id}`, project })
  const root = await runProbe(parts, { ...named('root'), program: '0', root: true }, { until: 'ended' })
  await root.remove()
  const other = await runProbe(parts, { ...named('other'), program: listenProgram }, { until: 'running' })
  try {
    const security = rootFinding(root.outcome, namespace)
    const { outcome } = other
    const hindered = startFinding(outcome, parts.options)
    if (hindered !== undefined) return [hindered, security]
    if (outcome.kind !== 'running') return [...probeFindings(outcome, parts.options, backendUrl), security]
    const targets = [{ name: 'another pod', host: outcome.ip, port: listenPort }]
    const task: ProbeTask = {
      lookUp: 'kubernetes.default.svc',
      backendUrl,
      forbidden: [...targets, ...forbidden],
    }
    const env = { [taskVariable]: JSON.stringify(task) }
    const probe = await runProbe(parts, { ...named('probe'), program: probeProgram, env }, { until: 'ended' })
    await probe.remove()
    return [...probeFindings(probe.outcome, parts.options, backendUrl), security]
  } finally {
    await other.remove()
  }
}
