import { kubectl } from './programs.ts'

export interface ServiceAccount {
  /** As which Berth knows it. */
  member: string
  /** A token for an audience; Kubernetes' own, when none is named. */
  token(audience?: string): Promise<string>
  remove(): Promise<void>
}

/** Makes a service account of the cluster, which may do nothing there. */
export const makeServiceAccount = async (namespace: string, name: string): Promise<ServiceAccount> => {
  const there = ['--namespace', namespace]
  await kubectl([...there, 'create', 'serviceaccount', name])
  return {
    member: `kubernetes:${namespace}:${name}`,
    token: async (audience) => {
      const wanted = audience === undefined ? [] : ['--audience', audience]
      return (await kubectl([...there, 'create', 'token', name, ...wanted])).trim()
    },
    remove: async () => void (await kubectl([...there, 'delete', 'serviceaccount', name, '--wait'])),
  }
}
