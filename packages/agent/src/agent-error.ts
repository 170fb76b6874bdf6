/** Why an agent could not start or go on. */
export type AgentErrorCode =
  /** The native Claude Code is not installed. */
  | 'no-executable'
  /** Claude Code ended or failed before it was ready. */
  | 'start-failed'
  /** The conversation to resume is not in the agent's home. */
  | 'conversation-not-found'
  /** Claude Code ended by itself while it was needed. */
  | 'ended'
  /** A turn was started while another runs. */
  | 'busy'
  /** A permission rule can't be read. */
  | 'bad-rule'

/** An error of the agent, in words for the person who reads it. */
export class AgentError extends Error {
  readonly code: AgentErrorCode

  constructor(code: AgentErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'AgentError'
    this.code = code
  }
}
