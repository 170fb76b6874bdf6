import type { RunnerFactBody } from '@berth/contract'

/** The kinds of fact that an agent reports; the other kinds are the runner's own. */
export type AgentFactType = Extract<
  RunnerFactBody['type'],
  | `agent.${string}`
  | `block.${string}`
  | `permission.${string}`
  | 'tool.result'
  | 'question.asked'
  | 'request.withdrawn'
  | 'runner.notice'
>

/**
 * What an agent reports: a fact of the contract, except that the text of `block.completed` and `tool.result` may be as
 * long as `maxTextLength` (8 M characters). Who posts it must put longer texts than the contract's `inlineText` into the
 * blob store and leave a preview.
 */
export type AgentFact = Extract<RunnerFactBody, { type: AgentFactType }>

export type Emit = (fact: AgentFact) => void
