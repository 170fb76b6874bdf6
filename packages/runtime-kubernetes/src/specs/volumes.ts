import type { V1Volume, V1VolumeMount } from '@kubernetes/client-node'
import type { CompiledOptions } from '../options/schema.ts'

/** Where things are in the containers of a pod: the same paths that a runner uses elsewhere. */
export const paths = {
  session: '/session',
  home: '/home/agent',
  mirrors: '/mirrors',
  sockets: '/run/berth',
  tools: '/tools',
  berth: '/opt/berth',
} as const

/** What the launcher, Node and Claude Code take as copies. */
const toolsSize = '1Gi'

/** All that a pod can write on. It is gone with the pod, and none of it is shared with another. */
export const volumesOf = ({ volumes }: CompiledOptions, withTools: boolean): V1Volume[] => [
  { name: 'session', emptyDir: { sizeLimit: volumes.session } },
  { name: 'home', emptyDir: { sizeLimit: volumes.home } },
  { name: 'mirrors', emptyDir: { sizeLimit: volumes.mirrors } },
  { name: 'sockets', emptyDir: { medium: 'Memory', sizeLimit: '16Mi' } },
  ...(['runner', 'agent', 'workspace'] as const).map((name) => ({
    name: `tmp-${name}`,
    emptyDir: { sizeLimit: volumes.tmp },
  })),
  ...(withTools ? [{ name: 'tools', emptyDir: { sizeLimit: toolsSize } }] : []),
]

const part = (name: string, readOnly = false): V1VolumeMount => ({
  name: 'session',
  mountPath: `/${name}`,
  subPath: name,
  ...(readOnly ? { readOnly } : {}),
})

const sockets = (directory: string, readOnly = false): V1VolumeMount => ({
  name: 'sockets',
  mountPath: `${paths.sockets}/${directory}`,
  subPath: directory,
  ...(readOnly ? { readOnly } : {}),
})

const tmp = (name: string): V1VolumeMount => ({ name: `tmp-${name}`, mountPath: '/tmp' })

/** The runner sees everything; what is the agent's, it reaches through the workspace's container. */
export const runnerMounts = (): V1VolumeMount[] => [
  { name: 'session', mountPath: paths.session },
  { name: 'home', mountPath: `${paths.session}/home` },
  { name: 'mirrors', mountPath: paths.mirrors },
  { name: 'sockets', mountPath: paths.sockets },
  tmp('runner'),
]

/** The agent's set-up is for reading; the door is its only way out. */
export const agentMounts = (withTools: boolean): V1VolumeMount[] => [
  part('workspace'),
  { name: 'home', mountPath: paths.home },
  part('setup', true),
  part('workflow', true),
  part('attachments', true),
  // A socket can be connected to all the same.
  sockets('door', true),
  sockets('agent'),
  tmp('agent'),
  ...(withTools ? [{ name: 'tools', mountPath: paths.berth, readOnly: true }] : []),
]

/** git and file work: no door. */
export const workspaceMounts = (): V1VolumeMount[] => [
  part('workspace'),
  part('clones'),
  part('shadow'),
  part('workflow'),
  { name: 'home', mountPath: paths.home },
  { name: 'mirrors', mountPath: paths.mirrors, readOnly: true },
  sockets('workspace'),
  tmp('workspace'),
]

/** The init container that copies Berth's tools beside an image that has none of them. */
export const toolsMounts = (): V1VolumeMount[] => [{ name: 'tools', mountPath: paths.tools }]
