import type { RunnerSpec } from '@berth/runtime'
import type { V1Affinity, V1Job, V1PodSpec, V1Secret } from '@kubernetes/client-node'
import { jobNameOf, labels, namespaceOf, ownLabels, usersOf } from '../names.ts'
import type { CompiledOptions } from '../options/schema.ts'
import { type Commands, containersOf, tokenKey } from './containers.ts'
import { volumesOf } from './volumes.ts'

export interface JobParts {
  options: CompiledOptions
  commands: Commands
  spec: RunnerSpec
}

/** The labels of all that belongs to a generation. */
const generationLabels = ({ options, spec }: Pick<JobParts, 'options' | 'spec'>): Record<string, string> => ({
  [labels.name]: 'berth-session',
  [labels.component]: 'runner',
  [labels.partOf]: 'berth',
  ...ownLabels(options),
  [labels.project]: spec.project,
  [labels.session]: spec.session,
  [labels.generation]: String(spec.generation),
})

/** Time that the backend's own deadline gets to work before the runtime's. */
const deadlineSlackSeconds = 300

/**
 * The Job of a generation: one pod, once. It is made suspended, and resumed when its Secret is there: what a kill leaves in
 * between is a Job without a pod, which the next look goes on with.
 */
export const jobSpec = (parts: JobParts): V1Job => {
  const { options, spec } = parts
  const metadataLabels = generationLabels(parts)
  const own =
    spec.deadlineMs === undefined ? undefined : Math.ceil(spec.deadlineMs / 1000) + deadlineSlackSeconds
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: jobNameOf(spec.session, spec.generation),
      namespace: namespaceOf(options, spec.project),
      labels: metadataLabels,
    },
    spec: {
      suspend: true,
      completions: 1,
      parallelism: 1,
      backoffLimit: 0,
      activeDeadlineSeconds: Math.min(own ?? options.job.deadlineSeconds, options.job.deadlineSeconds),
      ttlSecondsAfterFinished: options.job.ttlSeconds,
      template: { metadata: { labels: metadataLabels }, spec: podSpec(parts) },
    },
  }
}

const podSpec = ({ options, commands, spec }: JobParts): V1PodSpec => {
  const { images, placement, job } = options
  const image = spec.image ?? images.agent ?? images.runner
  const withTools = image !== images.runner
  const { runner: _, agent: __, group } = { ...usersOf(spec.session) }
  return {
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: job.graceSeconds,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    shareProcessNamespace: false,
    securityContext: {
      runAsNonRoot: true,
      fsGroup: group,
      fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' },
    },
    ...placed(placement),
    ...(images.pullSecrets.length > 0 && { imagePullSecrets: images.pullSecrets.map((name) => ({ name })) }),
    ...containersOf({ options, commands, spec, image, withTools }),
    volumes: volumesOf(options, withTools),
  }
}

/** Where pods go, as a pod says it. */
export const placed = (placement: CompiledOptions['placement']): Partial<V1PodSpec> => {
  const { runtimeClassName, priorityClassName, nodeSelector, tolerations, affinity } = placement
  return {
    ...(runtimeClassName && { runtimeClassName }),
    ...(priorityClassName && { priorityClassName }),
    ...(Object.keys(nodeSelector).length > 0 && { nodeSelector }),
    ...(tolerations.length > 0 && { tolerations }),
    ...(affinity && { affinity: affinity as V1Affinity }),
  }
}

/** The token of a generation; it goes when its Job goes. `jobUid`: as the API server named the Job. */
export const secretSpec = (parts: Pick<JobParts, 'options' | 'spec'>, jobUid: string): V1Secret => {
  const { options, spec } = parts
  const name = jobNameOf(spec.session, spec.generation)
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'Opaque',
    immutable: true,
    metadata: {
      name,
      namespace: namespaceOf(options, spec.project),
      labels: generationLabels(parts),
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name, uid: jobUid }],
    },
    data: { [tokenKey]: Buffer.from(spec.token).toString('base64') },
  }
}
