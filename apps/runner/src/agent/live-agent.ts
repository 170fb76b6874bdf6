import type { Answers, PermissionDecision } from '@berth/contract'

/** A piece of a prompt as Claude Code takes it. */
export type AgentContent =
  | { type: 'text'; text: string }
  | { type: 'image'; source: { type: 'base64'; media_type: ImageType; data: string } }

export type ImageType = 'image/png' | 'image/jpeg' | 'image/gif' | 'image/webp'

export interface AgentTurn {
  turn: string
  attempt: number
  /** The uuid of the message: Claude Code takes each one once. */
  uuid: string
  content: AgentContent[]
}

/** How Claude Code ended a turn. */
export interface AgentTurnResult {
  turn: string
  result: 'success' | 'error' | 'interrupted' | 'failed'
  message: string
  code?: string | undefined
  steps?: number | undefined
}

/** Why a Claude Code process ended, as the sandbox tells. */
export interface AgentExit {
  reason: 'exited' | 'crashed' | 'killed' | 'out-of-memory' | 'time-limit'
  message: string
}

/** One running Claude Code. What it sees it has told as facts already. */
export interface LiveAgent {
  /** Resolves when it takes turns; rejects when it ended before. */
  readonly ready: Promise<void>
  /** The id with which the conversation is resumed, once it is known. */
  readonly conversation: string | undefined
  startTurn(turn: AgentTurn): void
  /** Asks it to end the turn soon; the result still comes. */
  interrupt(): Promise<void>
  decide(request: string, decision: PermissionDecision): void
  answer(request: string, answers: Answers): void
  /** Gives a request up that nobody can answer any more. */
  cancel(request: string, reason: string): void
  /** Ends it. Resolves when nothing of it is left. */
  close(): Promise<void>
  /** Ends it and everything that it started, now. */
  kill(): void
  /** Resolves with the reason when it ended, whoever ended it. */
  readonly exited: Promise<AgentExit>
  usage(): { memoryBytes: number; cpuMs: number; processes: number } | undefined
}

export interface AgentLaunch {
  /** The conversation to go on with. */
  conversation: string | undefined
  onTurnResult(result: AgentTurnResult): void
}

/** Starts a Claude Code. Failures show as an exit. */
export type LaunchAgent = (launch: AgentLaunch) => LiveAgent
