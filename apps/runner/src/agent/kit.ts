import type { AgentOptions } from '@berth/agent'
import type { EffectiveSettings, HoldReason, RunnerFactBody } from '@berth/contract'
import type { SandboxedProcess } from '@berth/sandbox'
import type { Layout } from '../layout.ts'
import type { LaunchAgent } from './live-agent.ts'

export type SpawnClaude = NonNullable<AgentOptions['spawn']>

export interface LauncherOptions {
  /** The working directory inside. */
  workspace: string
  /** Claude Code inside. */
  executable: string
  /** Exactly the agent's environment. */
  env: Record<string, string>
  settings: EffectiveSettings
  emit(body: RunnerFactBody): void
  /** Makes the hook that starts a process in the sandbox; `started` gets the process to watch. */
  spawn(started: (process: SandboxedProcess) => void): SpawnClaude
  onStderr(text: string): void
}

/** What the runner needs to drive Claude Code. An object, because the Agent SDK behind it is loaded late. */
export interface AgentKit {
  /** The native Claude Code on this machine. */
  executable: string
  /** The agent's environment: nothing of the operator's, and no key. */
  environment(inside: Layout['inside']): Record<string, string>
  /** What to tell an agent that was lost in the middle of a turn, or whose turn was paused. */
  continuation(reason: string, paused?: HoldReason): string
  launcher(options: LauncherOptions): LaunchAgent
}
