import { checkCommand } from '../command.ts'
import { compileLimits } from '../limits.ts'
import type { Sandbox, SandboxCheck, SandboxCommand, SandboxedProcess, SandboxMount } from '../sandbox.ts'
import { failedProcess, supervise } from '../supervise.ts'
import { requireMounts } from './fixed-mounts.ts'
import { holdLease } from './lease.ts'
import { startRemote } from './remote-process.ts'

type Name = 'agent' | 'workspace'

export interface ContainerSandboxOptions {
  /** Sockets of the launchers of the two containers. */
  agent: string
  workspace: string
  /** What the containers show: `path` is where it lies for this process. */
  mounts: Record<Name, readonly SandboxMount[]>
  /**
   * Processes that the same user may have in the other container: the kernel counts them together, so they are added to
   * the limits of each. Default: none.
   */
  others?: Partial<Record<Name, number>>
  /** How long a launcher that is not there, e.g. because its container is started again, is waited for. Default 180,000. */
  waitMs?: number
  /** From a polite signal to the end of everything, in ms. Default 2000. */
  graceMs?: number
}

/** A sandbox of containers that are there already. */
export interface ContainerSandbox extends Sandbox {
  /**
   * Holds on to the container without a door, which ends with this process from then on. Resolves when it has ended
   * before, with what happened: then nothing can be saved any more.
   */
  hold(): Promise<string>
}

const DEFAULT_WAIT_MS = 180_000
const CHECK_WAIT_MS = 10_000

/**
 * The containers beside this one in a pod, each with a launcher on a socket that both share. What has a door runs in
 * `agent`, what has none in `workspace`. Their mounts, users, memory and network are fixed by the pod; of a command's
 * own limits those hold that a process can be given. Memory, measured and limited, is that of the whole container.
 */
export function createContainerSandbox(options: ContainerSandboxOptions): ContainerSandbox {
  const { graceMs = 2000, waitMs = DEFAULT_WAIT_MS, others = {} } = options
  const spawn = (command: SandboxCommand, patience = waitMs): SandboxedProcess => {
    const limits = compileLimits(command.limits)
    const name: Name = command.door === undefined ? 'workspace' : 'agent'
    try {
      checkCommand(command)
      requireMounts(command, { name, mounts: options.mounts[name] })
    } catch (error) {
      return failedProcess(error instanceof Error ? error.message : String(error))
    }
    const { processes, fileBytes, openFiles, cpuSeconds, memoryBytes } = limits
    const parts = startRemote({
      ...{ command, limits, socket: options[name], waitMs: patience },
      launchLimits: {
        ...{ fileBytes, openFiles, cpuSeconds },
        processes: processes + (others[name] ?? 0),
        // One process of the runner's that grows must not have the kernel take all of the container.
        ...(name === 'workspace' ? { dataBytes: memoryBytes } : {}),
      },
    })
    return supervise(parts, { limits, graceMs, signal: command.signal })
  }
  return {
    kind: 'container',
    spawn: (command) => spawn(command),
    check: () => check(options, (command) => spawn(command, CHECK_WAIT_MS)),
    hold: () => holdLease(options.workspace, waitMs),
  }
}

async function check(
  { agent, workspace, mounts }: ContainerSandboxOptions,
  spawn: (command: SandboxCommand) => SandboxedProcess,
): Promise<SandboxCheck> {
  const trial = { command: '/bin/sh', args: ['-c', ':'], cwd: '/', env: {}, mounts: [] }
  // The first mount stands for the door: with one a command runs in `agent`.
  const [first] = mounts.agent
  const door = first && { socket: first.path, target: first.target ?? first.path }
  for (const [socket, command] of [
    [agent, { ...trial, door }],
    [workspace, trial],
  ] as const) {
    const exit = await spawn(command).exited
    if (exit.code === 0) continue
    return {
      ok: false,
      problem: `The launcher at ${socket} can’t start a command. ${exit.message}`,
      repair:
        'Look at the state of the pod’s containers and their logs (kubectl describe pod, kubectl logs).',
    }
  }
  return { ok: true, detail: 'the containers beside this one answer; their mounts and network are the pod’s' }
}
