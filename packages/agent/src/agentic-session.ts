import { randomBytes } from 'node:crypto'
import {
  type Answers,
  type EventData,
  makeId,
  type PermissionDecision,
  turnMessageUuid,
  type Usage,
} from '@berth/contract'
import type { Agent, AgentOptions, PromptInput } from './agent.ts'
import { AgentError } from './agent-error.ts'
import { createAgent } from './create-agent.ts'
import type { AgentFact } from './fact.ts'
import type { PermissionRules } from './rules/rule-for.ts'
import type { TurnResult } from './turn-result.ts'

export type PermissionRequest = EventData<'permission.requested'>
export type QuestionRequest = EventData<'question.asked'>

export interface AgenticSessionOptions
  extends Pick<
    AgentOptions,
    'workspace' | 'conversation' | 'model' | 'instructions' | 'maxSteps' | 'spawn' | 'executable' | 'onStderr'
  > {
  prompt: string | PromptInput[]
  /**
   * The whole environment of Claude Code. Default: of this process's environment PATH, HOME, LANG, and what begins with
   * `ANTHROPIC_` or `CLAUDE_CODE_`.
   */
  env?: Record<string, string>
  /** Default: no rules, and `ask` for tools that change something. */
  permissions?: Partial<PermissionRules>
  /** Every fact, as it happens. */
  onEvent?: (fact: AgentFact) => void
  /** Decides what the rules leave to a person. Default: refuses. */
  onPermission?: (request: PermissionRequest) => PermissionDecision | Promise<PermissionDecision>
  /** Answers the agent's questions. Default: they are withdrawn. */
  onQuestion?: (request: QuestionRequest) => Answers | Promise<Answers>
  /** Interrupts the run. */
  signal?: AbortSignal
}

export interface AgenticResult {
  result: TurnResult['result']
  /** The agent's last words, or what went wrong. */
  message: string
  /** Why it was no success, in a word. */
  code?: string
  steps: number
  durationMs: number
  usage: Usage
  /** With which it can be resumed. */
  conversation: string | undefined
  /** Everything that happened, in order, without the deltas of blocks that are complete. */
  events: AgentFact[]
}

const inherited = (): Record<string, string> => {
  const env: Record<string, string> = {
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_AUTOUPDATER: '1',
  }
  for (const [name, value] of Object.entries(process.env))
    if (value !== undefined && /^(PATH|HOME|LANG|ANTHROPIC_.*|CLAUDE_CODE_.*)$/.test(name)) env[name] = value
  return env
}

const newId = (kind: 'turn' | 'block' | 'request') => makeId(kind, Date.now(), randomBytes(10))

const noAnswer = 'Nobody is there to decide.'

/** One prompt to Claude Code, and its result. */
export class AgenticSession {
  readonly #options: AgenticSessionOptions
  #events: AgentFact[] = []
  #conversation: string | undefined
  #agent: Agent | undefined

  constructor(options: AgenticSessionOptions) {
    this.#options = options
  }

  /**
   * Starts Claude Code, gives it the prompt, waits for the result and ends it. A failed or interrupted turn is a result,
   * not an error.
   * @throws {AgentError} when Claude Code can't be started, ends by itself, or the session is run twice.
   */
  async run(): Promise<AgenticResult> {
    if (this.#agent !== undefined) throw new AgentError('busy', 'A session runs once; make another.')
    const { promise, resolve } = Promise.withResolvers<TurnResult>()
    const agent = createAgent(this.#agentOptions(resolve))
    this.#agent = agent
    const onAbort = () => void agent.interrupt()
    this.#options.signal?.addEventListener('abort', onAbort, { once: true })
    try {
      agent.startTurn(this.#turn())
      if (this.#options.signal?.aborted === true) onAbort()
      const ended = Promise.all([agent.ready, agent.exited]).then(([, { error }]) => {
        throw error ?? new AgentError('ended', 'Claude Code ended before the result.')
      })
      return this.#result(await Promise.race([promise, ended]))
    } finally {
      this.#options.signal?.removeEventListener('abort', onAbort)
      await agent.close()
    }
  }

  #agentOptions(onTurnResult: (result: TurnResult) => void): AgentOptions {
    const { env = inherited(), permissions } = this.#options
    return {
      ...this.#options,
      env,
      permissions: { allow: [], ask: [], deny: [], otherwise: 'ask', ...permissions },
      ids: { block: () => newId('block'), request: () => newId('request') },
      emit: (fact) => this.#emit(fact),
      onTurnResult,
    }
  }

  #turn() {
    const { prompt } = this.#options
    const turn = newId('turn')
    const content: PromptInput[] = typeof prompt === 'string' ? [{ type: 'text', text: prompt }] : prompt
    return { turn, attempt: 1, uuid: turnMessageUuid(turn, 1), content }
  }

  #emit(fact: AgentFact): void {
    if (fact.type !== 'block.delta') this.#events.push(fact)
    this.#options.onEvent?.(fact)
    if (fact.type === 'agent.ready') this.#conversation = fact.data.conversation
    if (fact.type === 'permission.requested') void this.#decide(fact.data)
    if (fact.type === 'question.asked') void this.#answer(fact.data)
  }

  async #decide(request: PermissionRequest): Promise<void> {
    let decision: PermissionDecision
    try {
      decision = (await this.#options.onPermission?.(request)) ?? {
        behavior: 'deny',
        message: noAnswer,
        interrupt: false,
      }
    } catch (cause) {
      decision = { behavior: 'deny', message: String(cause), interrupt: false }
    }
    this.#agent?.decide(request.request, decision)
  }

  async #answer(request: QuestionRequest): Promise<void> {
    let answers: Answers
    try {
      answers = (await this.#options.onQuestion?.(request)) ?? {}
    } catch {
      answers = {}
    }
    this.#agent?.answer(request.request, answers)
  }

  #result(turn: TurnResult): AgenticResult {
    const { result, message, code, steps, durationMs, usage } = turn
    return {
      result,
      message,
      code,
      steps,
      durationMs,
      usage,
      conversation: this.#conversation,
      events: this.#events,
    }
  }
}
