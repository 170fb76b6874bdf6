import { type RunnerSpec, runnerEnvironment } from '@berth/runtime'
import type { V1Container, V1EnvVar, V1SecurityContext } from '@kubernetes/client-node'
import { jobNameOf, usersOf } from '../names.ts'
import type { CompiledOptions } from '../options/schema.ts'
import { resourcesOf } from './container-resources.ts'
import { agentMounts, paths, runnerMounts, toolsMounts, workspaceMounts } from './volumes.ts'

/** What runs in the containers, by the paths of Berth's image. */
export interface Commands {
  runner: string[]
  agent: string[]
  workspace: string[]
  tools: string[]
}

const launcher = [`${paths.berth}/node/node`, `${paths.berth}/launcher/launcher.js`, '--socket']

export const defaultCommands: Commands = {
  runner: [`${paths.berth}/node/node`, `${paths.berth}/runner/main.js`],
  agent: [...launcher, `${paths.sockets}/agent/launcher.sock`, '--warm', `${paths.berth}/claude/claude`],
  workspace: [...launcher, `${paths.sockets}/workspace/launcher.sock`, '--end-with-client'],
  // Claude Code, Node, the launcher and git's helper are whole in themselves; Node is a link there.
  tools: [
    'cp',
    '--recursive',
    '--dereference',
    ...['claude', 'node', 'launcher', 'bin'].map((part) => `${paths.berth}/${part}`),
    paths.tools,
  ],
}

/** What of the grace time a runner may use itself; the rest is for sending what it has, and for the kubelet. */
const graceShare = 0.8

/** Where a Secret keeps the token. */
export const tokenKey = 'token'

export interface ContainerParts {
  options: CompiledOptions
  commands: Commands
  spec: RunnerSpec
  /** Image of the agent's container. */
  image: string
  withTools: boolean
}

/** What the restricted profile of Pod Security asks for, and a file system that nobody writes on. */
export const confined = (user: number, group: number): V1SecurityContext => ({
  runAsUser: user,
  runAsGroup: group,
  runAsNonRoot: true,
  readOnlyRootFilesystem: true,
  allowPrivilegeEscalation: false,
  privileged: false,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
})

/**
 * Kubernetes replaces `$(NAME)` in a value by another variable of the container, and the token is one. `$$` stands for `$`,
 * so nothing that others write into a value is replaced.
 */
const literal = (value: string): string => value.replaceAll('$', '$$$$')

const runnerVariables = ({ spec, options }: ContainerParts): V1EnvVar[] => {
  const { BERTH_RUNNER_TOKEN: _, ...own } = runnerEnvironment(spec, paths.session)
  const values: Record<string, string> = {
    ...spec.env,
    ...own,
    HOME: '/tmp',
    BERTH_SANDBOX: 'container',
    BERTH_MIRROR_DIR: paths.mirrors,
    BERTH_SOCKETS: paths.sockets,
    BERTH_GIT: 'proxy',
    BERTH_GRACE_MS: String(Math.round(options.job.graceSeconds * 1000 * graceShare)),
  }
  delete values.BERTH_RUNNER_TOKEN
  const secret = { name: jobNameOf(spec.session, spec.generation), key: tokenKey }
  return [
    ...Object.entries(values).map(([name, value]) => ({ name, value: literal(value) })),
    { name: 'BERTH_RUNNER_TOKEN', valueFrom: { secretKeyRef: secret } },
  ]
}

const launcherVariables: V1EnvVar[] = [{ name: 'HOME', value: paths.home }]

/** The containers of a session's pod: see docs/decisions/0019. */
export const containersOf = (parts: ContainerParts) => {
  const { options, commands, spec, withTools } = parts
  const users = usersOf(spec.session)
  const resources = resourcesOf(options, spec.limits)
  const { runner: image, pullPolicy: imagePullPolicy } = options.images
  // The end of the log says why a container failed, without a right to read logs.
  const common = {
    terminationMessagePolicy: 'FallbackToLogsOnError',
    ...(imagePullPolicy && { imagePullPolicy }),
  }
  const runner: V1Container = {
    ...common,
    name: 'runner',
    image,
    command: commands.runner,
    workingDir: paths.session,
    env: runnerVariables(parts),
    resources: resources.runner,
    securityContext: confined(users.runner, users.group),
    volumeMounts: runnerMounts(),
  }
  const workspace: V1Container = {
    ...common,
    name: 'workspace',
    image,
    command: commands.workspace,
    workingDir: '/workspace',
    env: launcherVariables,
    resources: resources.workspace,
    securityContext: confined(users.agent, users.group),
    volumeMounts: workspaceMounts(),
  }
  const agent: V1Container = {
    ...common,
    name: 'agent',
    image: parts.image,
    restartPolicy: 'Always',
    command: commands.agent,
    workingDir: '/workspace',
    env: launcherVariables,
    resources: resources.agent,
    securityContext: confined(users.agent, users.group),
    volumeMounts: agentMounts(withTools),
  }
  const tools: V1Container = {
    ...common,
    name: 'tools',
    image,
    command: commands.tools,
    resources: resources.tools,
    securityContext: confined(users.agent, users.group),
    volumeMounts: toolsMounts(),
  }
  return { containers: [runner, workspace], initContainers: withTools ? [tools, agent] : [agent] }
}
