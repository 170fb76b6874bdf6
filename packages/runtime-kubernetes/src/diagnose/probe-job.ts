import type { V1Container, V1Job } from '@kubernetes/client-node'
import type { Parts } from '../actions/parts.ts'
import { labels, namespaceOf, ownLabels, usersOf } from '../names.ts'
import { confined } from '../specs/containers.ts'
import { placed } from '../specs/job.ts'

export interface ProbeSpec {
  name: string
  project: string
  program: string
  env?: Record<string, string>
  /** As root, which the namespace must refuse. */
  root?: boolean
}

/** It is gone by itself soon, also when whoever made it dies. */
const deadlineSeconds = 100
const ttlSeconds = 60

/** A pod as those of runners, as far as the cluster can tell: same place, labels, images and confinement. */
export const probeJob = (
  { options, commands }: Pick<Parts, 'options' | 'commands'>,
  { name, project, program, env = {}, root = false }: ProbeSpec,
): V1Job => {
  const { images, placement } = options
  const users = usersOf(name)
  const metadataLabels = {
    [labels.name]: 'berth-session',
    [labels.component]: 'doctor',
    [labels.partOf]: 'berth',
    ...ownLabels(options),
    [labels.project]: project,
  }
  const [node = 'node'] = commands.runner
  const common: Partial<V1Container> = {
    ...(images.pullPolicy && { imagePullPolicy: images.pullPolicy }),
    resources: {
      requests: { cpu: '10m', memory: '32Mi', 'ephemeral-storage': '16Mi' },
      limits: { cpu: '1', memory: '256Mi', 'ephemeral-storage': '64Mi' },
    },
    securityContext: root
      ? { ...confined(users.runner, users.group), runAsNonRoot: false, runAsUser: 0 }
      : confined(users.runner, users.group),
  }
  const runner: V1Container = {
    ...common,
    name: 'runner',
    image: images.runner,
    command: [node, '-e', program],
    env: Object.entries(env).map(([key, value]) => ({ name: key, value: value.replaceAll('$', '$$$$') })),
  }
  // Only whether it can be had counts: it need not have the program.
  const agent: V1Container = { ...common, name: 'agent', image: images.agent, command: ['true'] }
  const withAgent = images.agent !== undefined && images.agent !== images.runner
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace: namespaceOf(options, project), labels: metadataLabels },
    spec: {
      backoffLimit: 0,
      activeDeadlineSeconds: deadlineSeconds,
      ttlSecondsAfterFinished: ttlSeconds,
      template: {
        metadata: { labels: metadataLabels },
        spec: {
          restartPolicy: 'Never',
          terminationGracePeriodSeconds: 1,
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
          ...placed(placement),
          ...(images.pullSecrets.length > 0 && {
            imagePullSecrets: images.pullSecrets.map((secret) => ({ name: secret })),
          }),
          containers: withAgent ? [runner, agent] : [runner],
        },
      },
    },
  }
}
