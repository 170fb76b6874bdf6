import type { Actor } from '../actor.ts'
import type { CheckpointRef } from '../checkpoint.ts'
import type { EventData } from '../events/event.ts'
import type { WantedRepository } from '../repository.ts'
import type { SessionSettings } from '../settings/settings.ts'
import type { HeldText } from './held-text.ts'
import type { SessionLimits } from './limits.ts'
import type { Share } from './sharing.ts'
import type { Spending } from './spending.ts'
import type { SessionSummary } from './summary.ts'

/**
 * Everything that decisions about a session need: its summary, and what is of no use to readers. A fold over its
 * events; stored beside them so that no decision has to read the log. Bounded: every list in it is.
 */
export interface SessionState {
  summary: SessionSummary
  settings: SessionSettings
  limits: SessionLimits
  /** Memory in MiB that the last generation was started with; missing: none was. */
  memoryMiB?: number
  /** CPU in cores that it was started with; missing: none was. */
  cpus?: number
  /** Who sees it besides its owner and the project's admins while it is private. */
  shares: Share[]
  /** The repositories that the session should have. */
  repositories: WantedRepository[]
  spending: Spending
  /** Who sent the prompt of the last turn that was started: what the agent does counts as theirs. */
  sender: Actor | undefined
  /** The last generation was asked for and hasn't ended. */
  live: boolean
  /** The runner of this generation has said that it is up. */
  connected: boolean
  /** The agent of this generation is ready. */
  ready: boolean
  /** Number of the last fact of this generation. */
  n: number
  /** Where the generation before stopped: facts that it left on disk continue from there. */
  previous: { generation: number; n: number } | undefined
  /** Blocks that are open, with what is needed to abort them. */
  openBlocks: string[]
  /**
   * What is held back of open blocks, by block. The one part of the state that is no fold over the events: it is what they
   * don't say. Missing: nothing.
   */
  held?: Record<string, HeldText>
  /** Operations on the workspace that nobody has answered. */
  operations: string[]
  /** Claude Code's own id of the conversation. */
  conversation: string | undefined
  /** Where the agent works: a repository's directory, or empty for the workspace. Chosen once. */
  directory: string | undefined
  /** What the session goes on from on an empty disk. */
  checkpoint: CheckpointRef | undefined
  /** The files are to become those of this checkpoint. */
  restore: CheckpointRef | undefined
  /** Steps of the runtime that were told for the current generation, each as it was last; `told` counts the events. */
  runtimeSteps: { steps: Partial<Record<EventData<'generation.step'>['step'], string>>; told: number }
  /** Why the last generation ended. */
  lastEnd: { reason: string; message: string; at: string } | undefined
  /** Time of the last thing that people asked for or the agent finished: what idleness counts from. */
  activeAt: string
  /** When the current generation was asked for; undefined: none is. What the ones before it ran stands in `ranMs`. */
  liveSince: string | undefined
  ranMs: number
  /** Requests to the network whose refusal was told since the last turn began, by `refusalKey`. */
  refusals: string[]
  /** People were told that the deadline comes near. */
  deadlineWarned: boolean
}
