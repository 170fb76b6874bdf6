import type { RunnerLimits } from '@berth/runtime'
import type { V1ResourceRequirements } from '@kubernetes/client-node'
import type { CompiledOptions } from '../options/schema.ts'
import { amountOf } from '../options/values.ts'

/** Logs and whatever else a container leaves on its node's disk. */
const slackBytes = 512 * 2 ** 20
/** What a node must have free; a limit alone would reserve all of it. */
const requestedStorage = '64Mi'

const limitsOf = (bytes: number) => String(Math.ceil(bytes))

/**
 * What each container may use. The limits on disk add up to the volumes and some more: the kubelet evicts a pod that takes
 * more than the sum, and no volume can be filled without its own limit being passed first.
 */
export const resourcesOf = (
  { resources, volumes }: CompiledOptions,
  { memoryBytes, milliCpus }: Pick<RunnerLimits, 'memoryBytes' | 'milliCpus'>,
) => {
  const tmp = amountOf(volumes.tmp)
  const storage = {
    agent: amountOf(volumes.session) + amountOf(volumes.home) + tmp + slackBytes,
    runner: amountOf(volumes.mirrors) + tmp + slackBytes,
    workspace: tmp + slackBytes,
    tools: slackBytes,
  }
  const fixed = (name: 'runner' | 'workspace'): V1ResourceRequirements => {
    const { cpu, memory, cpuLimit, memoryLimit } = resources[name]
    return {
      requests: { cpu, memory, 'ephemeral-storage': requestedStorage },
      limits: { cpu: cpuLimit, memory: memoryLimit, 'ephemeral-storage': limitsOf(storage[name]) },
    }
  }
  const { cpu, memory } = resources.agent
  const agent: V1ResourceRequirements = {
    requests: {
      cpu: amountOf(cpu) * 1000 > milliCpus ? `${milliCpus}m` : cpu,
      memory: amountOf(memory) > memoryBytes ? String(memoryBytes) : memory,
      'ephemeral-storage': requestedStorage,
    },
    limits: {
      cpu: `${milliCpus}m`,
      memory: String(memoryBytes),
      'ephemeral-storage': limitsOf(storage.agent),
    },
  }
  const tools: V1ResourceRequirements = {
    requests: { cpu: '50m', memory: '64Mi', 'ephemeral-storage': requestedStorage },
    limits: { cpu: '1', memory: '256Mi', 'ephemeral-storage': limitsOf(storage.tools) },
  }
  return { runner: fixed('runner'), workspace: fixed('workspace'), agent, tools }
}
