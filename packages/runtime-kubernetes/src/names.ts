import { createHash } from 'node:crypto'
import { projectName } from '@berth/contract'
import { checkSessionId, RuntimeError } from '@berth/runtime'
import type { CompiledOptions } from './options/schema.ts'

export const labels = {
  name: 'app.kubernetes.io/name',
  instance: 'app.kubernetes.io/instance',
  component: 'app.kubernetes.io/component',
  partOf: 'app.kubernetes.io/part-of',
  managedBy: 'app.kubernetes.io/managed-by',
  project: 'berth.dev/project',
  session: 'berth.dev/session',
  generation: 'berth.dev/generation',
} as const

/** The labels of everything that an installation makes, and by which it finds it again. */
export const ownLabels = ({ instance }: Pick<CompiledOptions, 'instance'>): Record<string, string> => ({
  [labels.instance]: instance,
  [labels.managedBy]: 'berth',
})

/** As a query: `key=value,key=value`. */
export const selectorOf = (map: Record<string, string>): string =>
  Object.entries(map)
    .map(([key, value]) => `${key}=${value}`)
    .join(',')

/** Throws RuntimeError (forbidden) for what is no name of a project: it becomes part of names and labels. */
export const checkProject = (project: string): string => {
  if (projectName.safeParse(project).success) return project
  throw new RuntimeError({
    reason: 'forbidden',
    message: `${JSON.stringify(String(project).slice(0, 60))} is not the name of a project; nothing was done`,
    retryable: false,
  })
}

/** Where the runners of a project live; at most 60 characters. */
export const namespaceOf = ({ namespaces }: CompiledOptions, project: string): string =>
  'existing' in namespaces ? namespaces.existing : `${namespaces.perProject.prefix}${checkProject(project)}`

/**
 * The name of the Job of a generation and of its Secret. At most 48 characters, so that Kubernetes can add its own to the
 * pod's. Only letters and digits of the session's id and of the number.
 */
export const jobNameOf = (session: string, generation: number): string =>
  `berth-${checkSessionId(session).slice('ses_'.length)}-${generation}`

/** The users and the group of a session's pod. Derived from its id, because process limits count per user on a node. */
export const usersOf = (session: string): { runner: number; agent: number; group: number } => {
  const base = 1_000_000 + 2 * (createHash('sha256').update(session).digest().readUInt32BE(0) % 2 ** 29)
  return { runner: base, agent: base + 1, group: base }
}
