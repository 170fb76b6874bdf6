import type { SpawnedProcess, SpawnOptions } from '@anthropic-ai/claude-agent-sdk'
import type { Answers, PermissionDecision } from '@berth/contract'
import type { Clock } from './clock.ts'
import type { AgentFact } from './fact.ts'
import type { PermissionRules } from './rules/rule-for.ts'
import type { AgentSetup } from './setup/agent-setup.ts'
import type { TurnResult } from './turn-result.ts'

/** How an agent is made. */
export interface AgentOptions {
  /** Where the agent works: an absolute path as Claude Code sees it. */
  workspace: string
  /** The whole environment of Claude Code; nothing else is in it. `agentEnvironment` makes one. */
  env: Record<string, string>
  permissions: PermissionRules
  /** What happened, in order. Called synchronously; must not throw. */
  emit: (fact: AgentFact) => void
  /** How a turn ended, after all its facts. The runner says `turn.ended` itself, when the files are saved. */
  onTurnResult: (result: TurnResult) => void
  ids: { block(): string; request(): string }
  /** Claude Code's id of the conversation to resume. Default: a new one. */
  conversation?: string
  /** The turn to which things belong that happen before the first `startTurn`, after a resume. Default: they are left out. */
  lastTurn?: string
  /** Default: Claude Code's own. */
  model?: string
  /** Added to Claude Code's system prompt. */
  instructions?: string
  /** Requests to the model in one turn. Default: no limit. */
  maxSteps?: number
  /** Default: all tools, and of the repository its `CLAUDE.md`, agents, commands and skills. */
  setup?: AgentSetup
  /** Starts Claude Code, e.g. in a sandbox. Default: as a child process. */
  spawn?: (options: SpawnOptions) => SpawnedProcess
  /** Path of the native Claude Code as seen where it is started. Default: `claudeExecutable()`. */
  executable?: string
  /** Default: the system's. */
  clock?: Clock
  /** What Claude Code writes to its standard error. */
  onStderr?: (text: string) => void
}

/** One piece of a prompt for Claude Code. */
export type PromptInput =
  | { type: 'text'; text: string }
  /** `data` is base64. */
  | { type: 'image'; mediaType: 'image/png' | 'image/jpeg' | 'image/gif' | 'image/webp'; data: string }
  /** A file that is in the workspace already; `path` as the agent sees it. */
  | { type: 'file'; name: string; path: string }

export interface TurnStart {
  turn: string
  attempt: number
  /** Of the message: the contract's `turnMessageUuid`. Claude Code takes a uuid once. */
  uuid: string
  content: PromptInput[]
}

/** How Claude Code ended. */
export interface AgentExit {
  /** Absent when it ended because of `close`. */
  error?: Error
  /** The turn that was running and got no result. */
  turn?: string
}

/** One live Claude Code. */
export interface Agent {
  /**
   * Claude Code is up and has said what it can; `agent.ready` is emitted. Rejects with an `AgentError`
   * (`start-failed`, `conversation-not-found`).
   */
  readonly ready: Promise<void>
  /** Claude Code has ended, for whatever reason; never rejects. Open blocks are aborted and requests withdrawn by then. */
  readonly exited: Promise<AgentExit>
  /**
   * Gives Claude Code a prompt; may be called before `ready`.
   * @throws {AgentError} `busy` while a turn runs, `ended` when Claude Code has ended.
   */
  startTurn(turn: TurnStart): void
  /**
   * Stops the turn that runs, if any: what was said so far is kept, and its result is `interrupted`. Resolves when Claude
   * Code has heard it; the result follows.
   */
  interrupt(): Promise<void>
  /** Decides a permission request. False when it isn't open (any more). */
  decide(request: string, decision: PermissionDecision): boolean
  /** Answers questions. False when they aren't open (any more). */
  answer(request: string, answers: Answers): boolean
  /** The model of the next turns; undefined is Claude Code's default. Rejects when Claude Code has ended. */
  setModel(model: string | undefined): Promise<void>
  /** Ends Claude Code, at the latest by force after some seconds, and resolves when it has ended. A running turn gets no result. */
  close(): Promise<void>
}
