import type { PodFacts } from './facts.ts'

/** What holds a pod up before its runner begins. */
export interface Trouble {
  kind: 'schedule' | 'image' | 'create'
  /** As Kubernetes says it. */
  message: string
}

const imageReasons: ReadonlySet<string> = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'ImageInspectError',
  'RegistryUnavailable',
  'SignatureValidationFailed',
])

const createReasons: ReadonlySet<string> = new Set([
  'CreateContainerConfigError',
  'CreateContainerError',
  'PreCreateHookError',
  'PreStartHookError',
  'PostStartHookError',
  'RunContainerError',
  'CrashLoopBackOff',
])

/** Containers that have to run before the runner can: it and those before it. */
const needed = ['tools', 'agent', 'runner']

/** Undefined while nothing is wrong. */
export const troubleOf = (pod: PodFacts): Trouble | undefined => {
  if (!pod.scheduled) {
    const condition = pod.conditions.find(
      ({ type, reason }) => type === 'PodScheduled' && reason !== 'SchedulingGated',
    )
    return condition && { kind: 'schedule', message: condition.message }
  }
  for (const name of needed) {
    const container = pod.containers[name]
    if (container?.state !== 'waiting') continue
    const message = `container ${name}: ${container.reason}${container.message === '' ? '' : `: ${container.message}`}`
    if (imageReasons.has(container.reason)) return { kind: 'image', message }
    if (createReasons.has(container.reason)) return { kind: 'create', message }
  }
  return undefined
}
