import type { PromptInput, TurnResult, TurnStart } from '@berth/agent'
import type { Answers, EventData, PermissionDecision } from '@berth/contract'

/** A piece of a prompt as Claude Code takes it. */
export type AgentContent = PromptInput

/** How Claude Code ended a turn. */
export type AgentTurnResult = Pick<TurnResult, 'turn' | 'result' | 'message' | 'code'> & { steps?: number }

/** Why a Claude Code process ended, as the sandbox tells. */
export type AgentExit = EventData<'agent.exited'>

/** One running Claude Code. What it sees it has told as facts already. */
export interface LiveAgent {
  /** Resolves when it takes turns; rejects when it ended before. */
  readonly ready: Promise<void>
  /** The id with which the conversation is resumed, once it is known. */
  readonly conversation: string | undefined
  /** Throws when it has ended or is busy. */
  startTurn(turn: TurnStart): void
  /** Asks it to end the turn soon; the result still comes. */
  interrupt(): Promise<void>
  /** The model of the next turns; undefined: Claude Code's own. */
  setModel(model: string | undefined): Promise<void>
  decide(request: string, decision: PermissionDecision): void
  answer(request: string, answers: Answers): void
  /** Ends it. Resolves when nothing of it is left. */
  close(): Promise<void>
  /** Ends it and everything that it started, now. */
  kill(): void
  /** Resolves with the reason when it ended, whoever ended it. */
  readonly exited: Promise<AgentExit>
  /** Resolves true when it ended because it does not know the conversation that it was to go on with. Never rejects. */
  readonly lost: Promise<boolean>
  usage(): { memoryBytes: number; cpuMs: number; processes: number } | undefined
}

export interface AgentLaunch {
  /** The conversation to go on with. */
  conversation: string | undefined
  onTurnResult(result: AgentTurnResult): void
}

/** Starts a Claude Code. Failures show as an exit. */
export type LaunchAgent = (launch: AgentLaunch) => LiveAgent
