import { kubectl, list } from './programs.ts'

interface Thing {
  kind: string
  metadata: { name: string; namespace?: string; labels?: Record<string, string> }
}

const instanceLabel = 'app.kubernetes.io/instance'

/** The namespaces that an installation has made for projects. */
export const projectNamespaces = async (instance: string): Promise<string[]> => {
  const found = await list<Thing>('namespaces', ['--selector', `${instanceLabel}=${instance}`])
  return found.map(({ metadata }) => metadata.name)
}

/** Removes namespaces, and waits until they are gone. */
export const removeNamespaces = async (names: readonly string[]): Promise<void> => {
  if (names.length === 0) return
  await kubectl(['delete', 'namespace', ...names, '--ignore-not-found', '--wait', '--timeout', '180s'])
}

/** What is of one session in the cluster. */
export const ofSession = async (session: string): Promise<string[]> => {
  const selector = ['--all-namespaces', '--selector', `berth.dev/session=${session}`]
  const found = await list<Thing>('jobs,pods,secrets', selector)
  return found.map(describe)
}

/** The Secret with the token of a session's runner. */
export const secretOf = async (session: string): Promise<string> => {
  const selector = ['--all-namespaces', '--selector', `berth.dev/session=${session}`]
  const [secret] = await list<Thing>('secrets', selector)
  return secret?.metadata.name ?? ''
}

/** What an installation has left in the cluster, in any namespace and outside of them. */
export const leftovers = async (instance: string): Promise<string[]> => {
  const [labelled, scoped] = await Promise.all([
    list<Thing>('namespaces,jobs,pods,secrets,networkpolicies', [
      '--all-namespaces',
      '--selector',
      `${instanceLabel}=${instance}`,
    ]),
    list<Thing>('clusterroles,clusterrolebindings,namespaces', []),
  ])
  const named = scoped.filter(({ metadata }) => metadata.name.startsWith(instance))
  return [...new Set([...labelled, ...named].map(describe))]
}

const describe = ({ kind, metadata: { name, namespace } }: Thing): string =>
  `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`
