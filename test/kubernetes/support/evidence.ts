import { kubectl } from './programs.ts'

interface Pod {
  metadata: { name: string; namespace: string }
  spec: { containers: { name: string }[]; initContainers?: { name: string }[] }
}

/** What there is to see in namespaces, for a test that has failed: pods, events, and the ends of all logs. */
export const evidence = async (namespaces: readonly string[]): Promise<string> => {
  const parts = await Promise.all(namespaces.map((namespace) => ofNamespace(namespace)))
  return parts.join('\n')
}

const attempt = (args: readonly string[]): Promise<string> =>
  kubectl(args).catch((error) => `(${error instanceof Error ? error.message : error})`)

const ofNamespace = async (namespace: string): Promise<string> => {
  const [jobsAndPods, events, text] = await Promise.all([
    attempt(['--namespace', namespace, 'get', 'jobs,pods', '--output', 'wide']),
    attempt(['--namespace', namespace, 'get', 'events', '--sort-by', '.lastTimestamp']),
    attempt(['--namespace', namespace, 'get', 'pods', '--output', 'json']),
  ])
  const pods: Pod[] = text.startsWith('{') ? JSON.parse(text).items : []
  const logs = await Promise.all(pods.map(ofPod))
  return [`── ${namespace} ──`, jobsAndPods, events, ...logs].join('\n')
}

const ofPod = async ({ metadata: { name, namespace }, spec }: Pod): Promise<string> => {
  const containers = [...(spec.initContainers ?? []), ...spec.containers]
  const logs = await Promise.all(
    containers.map(async (container) => {
      const args = ['--namespace', namespace, 'logs', name, '--container', container.name, '--tail', '60']
      return `── ${namespace}/${name} ${container.name}\n${await attempt(args)}`
    }),
  )
  return logs.join('\n')
}
