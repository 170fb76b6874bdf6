import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { type Client, createClient } from '@berth/client'
import { clusterDns } from '../../../deploy/helm/support/cluster-dns.ts'
import { root } from '../../../tools/house/tracked-files.ts'
import { evidence } from './evidence.ts'
import { chartImage, images } from './images.ts'
import { leftovers, projectNamespaces, removeNamespaces } from './leftovers.ts'
import { type Forward, helm, kubectl, portForward } from './programs.ts'
import { within } from './within.ts'

/** The chart, installed in a namespace of its own, as its operator sees it. */
export interface Installation {
  /** The namespace of the backends. */
  namespace: string
  /** The label `app.kubernetes.io/instance` on all that it makes for sessions. */
  instance: string
  client: Client
  /** A client by another way than the first, e.g. after the pod behind that one has ended. */
  reconnect(): Promise<Client>
  /** A client of somebody else, by the way that there is now. */
  as(token: string): Client
  /** The namespaces that it has made for projects. */
  projects(): Promise<string[]>
  /** Installs again with other values on top. */
  upgrade(values: object): Promise<void>
}

/** Values of the chart, besides those that all tests have. */
export type Values = Record<string, unknown>

const chart = join(root, 'deploy/helm/berth')

const small = { cpu: '5m', memory: '32Mi', cpuLimit: '2', memoryLimit: '512Mi' }

const testValues = async (instance: string) => ({
  fullnameOverride: 'berth',
  image: { ...chartImage(images.backend), pullPolicy: 'IfNotPresent' },
  persistence: { enabled: false, size: '1Gi' },
  scratch: { data: '1Gi', tmp: '256Mi' },
  tests: { enabled: false },
  settings: { defaults: { cpus: 1.5 } },
  resources: { requests: { cpu: '20m', memory: '128Mi' }, limits: { memory: '1Gi' } },
  runners: {
    instance,
    namespaces: { prefix: `${instance}-` },
    images: { runner: chartImage(images.runner), pullPolicy: 'IfNotPresent' },
    resources: { runner: small, workspace: small, agent: { cpu: '5m', memory: '32Mi' } },
    network: { dns: await clusterDns() },
    volumes: { session: '1Gi', home: '512Mi', mirrors: '512Mi', tmp: '256Mi' },
  },
})

const ownerToken = async (namespace: string): Promise<string> => {
  const name = 'jsonpath={.data.owner-token}'
  const secrets = await kubectl(['--namespace', namespace, 'get', 'secret', 'berth', '--output', name])
  return Buffer.from(secrets, 'base64').toString('utf8').trim()
}

const installed = async (namespace: string, instance: string): Promise<Opened> => {
  let forward: Forward | undefined
  const disconnect = async () => {
    await forward?.close()
    forward = undefined
  }
  const connect = async () => {
    await disconnect()
    forward = await within('a way to the API', () => portForward(namespace, 'service/berth', 7420))
    return createClient({ baseUrl: forward.url, token: await ownerToken(namespace) })
  }
  const as = (token: string) => createClient({ baseUrl: forward?.url ?? '', token })
  const install = async (values: object) => {
    const options = ['--namespace', namespace, '--wait', '--timeout', '180s', '--values', '-']
    await helm(['upgrade', '--install', 'berth', chart, '--reuse-values', ...options], JSON.stringify(values))
  }
  return { connect, disconnect, as, install, namespace, instance }
}

interface Opened {
  connect(): Promise<Client>
  disconnect(): Promise<void>
  as(token: string): Client
  install(values: object): Promise<void>
  namespace: string
  instance: string
}

/**
 * Installs the chart with the scripted model, gives it to the test, and takes everything away again. Fails when something
 * is left in the cluster afterwards. When the test fails, its error tells what was to be seen in the cluster.
 */
export const withInstallation = async (
  test: (installation: Installation) => Promise<void>,
  values: (namespace: string) => Values | Promise<Values> = () => ({}),
): Promise<void> => {
  const instance = `t-${randomBytes(4).toString('hex')}`
  const namespace = instance
  await kubectl(['create', 'namespace', namespace])
  await kubectl(['label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted'])
  const opened = await installed(namespace, instance)
  try {
    await opened.install(merge(await testValues(instance), await values(namespace)))
    const client = await opened.connect()
    await test({
      namespace,
      instance,
      client,
      reconnect: opened.connect,
      as: opened.as,
      projects: () => projectNamespaces(instance),
      upgrade: opened.install,
    })
  } catch (error) {
    const seen = await evidence([namespace, ...(await projectNamespaces(instance))])
    throw new Error(`${error instanceof Error ? error.message : error}\n\n${seen}`, { cause: error })
  } finally {
    await opened.disconnect()
    await helm(['uninstall', 'berth', '--namespace', namespace, '--wait', '--ignore-not-found'])
    await removeNamespaces([namespace, ...(await projectNamespaces(instance))])
  }
  const left = await leftovers(instance)
  if (left.length > 0) throw new Error(`The installation left behind: ${left.join(', ')}`)
}

type Tree = Record<string, unknown>
const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Values on top of others, as helm lays them. */
const merge = (below: Tree, above: Tree): Tree => {
  const merged = { ...below }
  for (const [key, value] of Object.entries(above)) {
    const before = merged[key]
    merged[key] = isTree(before) && isTree(value) ? merge(before, value) : value
  }
  return merged
}
