import type { EffectiveSettings, RunnerFactBody } from '@berth/contract'
import type { SandboxedProcess, SpawnedProcessLike } from '@berth/sandbox'
import type { LaunchAgent } from './live-agent.ts'
import type { SpawnRequest } from './sandboxed-claude.ts'

export interface LauncherOptions {
  /** The working directory inside. */
  workspace: string
  /** Exactly the agent's environment. */
  env: Record<string, string>
  settings: EffectiveSettings
  /** Resolves when there is room for more. */
  emit(body: RunnerFactBody): Promise<void>
  spawn(request: SpawnRequest, started: (process: SandboxedProcess) => void): SpawnedProcessLike
}

/** What the runner needs to drive Claude Code. */
export interface AgentKit {
  /** The native Claude Code on this machine. */
  executable: string
  launcher(options: LauncherOptions): LaunchAgent
}
