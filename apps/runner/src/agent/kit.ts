import type { AgentOptions, SetupContent } from '@berth/agent'
import type { HoldReason, RunnerFactBody } from '@berth/contract'
import type { SandboxedProcess } from '@berth/sandbox'
import type { Layout } from '../layout.ts'
import type { LaunchPlan } from '../setup/launch-plan.ts'
import type { LaunchAgent } from './live-agent.ts'

export type SpawnClaude = NonNullable<AgentOptions['spawn']>

export interface LauncherOptions {
  /** The working directory inside. */
  workspace: string
  /** Claude Code inside. */
  executable: string
  /** Where the parts of the session are, inside. */
  inside: Layout['inside']
  /** How the next one is started; asked at each start. */
  plan(): LaunchPlan
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
  environment(inside: Layout['inside'], more?: Record<string, string>): Record<string, string>
  /** What to tell an agent that was lost in the middle of a turn, or whose turn was paused. */
  continuation(reason: string, paused?: HoldReason): string
  /** The files of the set-up directory, by path. */
  setupFiles(content: SetupContent): Record<string, string>
  launcher(options: LauncherOptions): LaunchAgent
}
