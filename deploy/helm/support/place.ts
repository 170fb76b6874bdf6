import { randomBytes } from 'node:crypto'
import { apply, fieldOf, kubectl } from './kubectl.ts'

/** The images under test, as nodes have them. */
export const images = {
  backend: process.env.BERTH_TEST_BACKEND_IMAGE || 'berth-backend:test',
  runner: process.env.BERTH_TEST_RUNNER_IMAGE || 'berth-runner:test',
}

/** Options of helm for these images. */
export const imageOptions = (): string[] => {
  const sets = Object.entries({ image: images.backend, 'runners.images.runner': images.runner }).flatMap(
    ([path, name]) => {
      const [, repository = name, tag = 'latest'] = /^(.*):([^:/]+)$/.exec(name) ?? []
      return [`${path}.repository=${repository}`, `${path}.tag=${tag}`]
    },
  )
  return sets.flatMap((set) => ['--set', set])
}

/** A namespace of a test's own, in which only pods of the profile `restricted` may run. */
export interface Place {
  namespace: string
  /** Names of namespaces of projects begin so. */
  prefix: string
  /** Gives the claim a volume where the cluster has no class for that. */
  volumeFor(claim: string): Promise<void>
  /** Removes all of it, and the namespaces of projects. */
  remove(): Promise<void>
}

/** `what` has at most ten letters: a prefix of namespaces is short. */
export const makePlace = async (what: string): Promise<Place> => {
  const namespace = `${what}-${randomBytes(3).toString('hex')}`
  const prefix = `${namespace}-`
  await makeNamespace(namespace, { 'pod-security.kubernetes.io/enforce': 'restricted' })
  const undo: (() => Promise<unknown>)[] = []
  return {
    namespace,
    prefix,
    volumeFor: async (claim) => {
      const removeVolume = await volumeOnNode(namespace, claim)
      if (removeVolume !== undefined) undo.push(removeVolume)
    },
    remove: async () => {
      const all = (await kubectl(['get', 'namespaces', '--output', 'name'])).split('\n')
      const ours = all.filter((name) => name.startsWith(`namespace/${prefix}`))
      await kubectl(['delete', '--wait=false', '--ignore-not-found', `namespace/${namespace}`, ...ours])
      for (const step of undo) await step()
    },
  }
}

const makeNamespace = (name: string, labels: Record<string, string>) =>
  apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } })

/**
 * Makes a directory of the node a volume for this claim, writable for everybody. Gives what removes it; undefined: the
 * cluster makes volumes itself.
 */
export const volumeOnNode = async (namespace: string, claim: string) => {
  if ((await kubectl(['get', 'storageclasses', '--output', 'name'])).startsWith('storageclass'))
    return undefined
  const name = `volume-${namespace}`
  await makeNamespace(name, { 'pod-security.kubernetes.io/enforce': 'privileged' })
  await runAsRoot(name, 'make', `mkdir /node/${name} && chmod 0777 /node/${name}`)
  await apply({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name },
    spec: {
      capacity: { storage: '100Gi' },
      accessModes: ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Retain',
      claimRef: { namespace, name: claim },
      hostPath: { path: `/tmp/${name}` },
    },
  })
  return async () => {
    await runAsRoot(name, 'remove', `rm -rf /node/${name}`)
    await kubectl(['delete', '--wait=false', `persistentvolume/${name}`, `namespace/${name}`])
  }
}

/** Runs a line of shell that sees the node's /tmp as /node. */
const runAsRoot = async (namespace: string, name: string, line: string): Promise<void> => {
  await apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace },
    spec: {
      restartPolicy: 'Never',
      securityContext: { runAsUser: 0 },
      containers: [
        {
          name: 'shell',
          image: images.backend,
          command: ['sh', '-c', line],
          volumeMounts: [{ name: 'node', mountPath: '/node' }],
        },
      ],
      volumes: [{ name: 'node', hostPath: { path: '/tmp' } }],
    },
  })
  const pod = [`--namespace=${namespace}`, `pod/${name}`]
  await kubectl(['wait', '--for=jsonpath={.status.phase}=Succeeded', '--timeout=60s', ...pod]).catch(
    async (error) => {
      throw new Error(`${error.message}; its phase is ${await fieldOf(pod, '{.status.phase}')}`)
    },
  )
}
