import { basename, dirname } from 'node:path'
import {
  asSpawnedProcess,
  type Sandbox,
  type SandboxedProcess,
  type SpawnedProcessLike,
} from '@berth/sandbox'
import type { Layout } from '../layout.ts'
import type { AgentExit } from './live-agent.ts'

/** What the Agent SDK asks to be started. */
export interface SpawnRequest {
  command: string
  args: readonly string[]
  cwd?: string | undefined
  env: Record<string, string | undefined>
  signal: AbortSignal
}

export interface ClaudePlace {
  sandbox: Sandbox
  layout: Layout
  doorSocket: string
  /** The native Claude Code outside. */
  executable: string
  limits: { memoryBytes: number; processes: number }
  onStderr(text: string): void
}

/** The environment of the agent: nothing of the operator's. The key is a dummy: the door replaces it. */
export const agentEnvironment = ({ inside }: Layout): Record<string, string> => ({
  PATH: '/usr/local/bin:/usr/bin:/bin',
  HOME: inside.home,
  TMPDIR: inside.temporary,
  USER: 'agent',
  LANG: 'C.UTF-8',
  SHELL: '/bin/bash',
  ANTHROPIC_API_KEY: 'berth-door',
  ANTHROPIC_BASE_URL: 'http://berth',
  ANTHROPIC_UNIX_SOCKET: inside.door,
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
  DISABLE_AUTOUPDATER: '1',
})

/** What the agent's sandbox shows, with Claude Code itself read-only. */
export const agentMounts = ({ layout, executable }: Pick<ClaudePlace, 'layout' | 'executable'>) => {
  const { outside, inside } = layout
  return [
    { path: outside.workspace, mode: 'rw' as const, target: inside.workspace },
    { path: outside.home, mode: 'rw' as const, target: inside.home },
    { path: outside.attachments, mode: 'ro' as const, target: inside.attachments },
    {
      path: dirname(executable),
      mode: 'ro' as const,
      target: insideExecutable(layout, executable).directory,
    },
  ]
}

const insideExecutable = ({ outside, inside }: Layout, executable: string) => {
  const directory = inside.workspace === outside.workspace ? dirname(executable) : '/opt/claude'
  return { directory, path: `${directory}/${basename(executable)}` }
}

/** Starts Claude Code in the sandbox, as the SDK's spawn hook; `started` gets the process to watch. */
export const spawnClaude =
  (place: ClaudePlace, started: (process: SandboxedProcess) => void) =>
  (request: SpawnRequest): SpawnedProcessLike => {
    const { sandbox, layout, executable, limits, doorSocket } = place
    const process = sandbox.spawn({
      command: request.command === executable ? insideExecutable(layout, executable).path : request.command,
      args: request.args,
      cwd: layout.inside.workspace,
      env: Object.fromEntries(
        Object.entries(request.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
      ),
      mounts: agentMounts(place),
      door: { socket: doorSocket, target: layout.inside.door },
      limits,
      signal: request.signal,
    })
    started(process)
    return asSpawnedProcess(process, place.onStderr)
  }

/** The end of a sandboxed Claude Code in the contract's words. */
export const agentExitOf = (exit: Awaited<SandboxedProcess['exited']>): AgentExit => {
  const message = exit.message.replace(/^The command/, 'Claude Code').slice(0, 4000)
  switch (exit.reason) {
    case 'killed':
    case 'out-of-memory':
    case 'time-limit':
      return { reason: exit.reason, message }
    default:
      return { reason: exit.code === 0 ? 'exited' : 'crashed', message }
  }
}
