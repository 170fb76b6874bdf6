export type { Agent, AgentExit, AgentOptions, PromptInput, TurnStart } from './agent.ts'
export { AgentError, type AgentErrorCode } from './agent-error.ts'
export {
  type AgenticResult,
  AgenticSession,
  type AgenticSessionOptions,
  type PermissionRequest,
  type QuestionRequest,
} from './agentic-session.ts'
export { maxTextLength } from './bounds.ts'
export { type Clock, systemClock } from './clock.ts'
export { type Continuation, continuationText } from './continuation.ts'
export { createAgent } from './create-agent.ts'
export { type AgentPlace, agentEnvironment } from './environment.ts'
export { claudeExecutable } from './executable.ts'
export type { AgentFact, AgentFactType } from './fact.ts'
export type { Places } from './rules/path-rule.ts'
export { type PermissionRules, type Ruling, ruleFor } from './rules/rule-for.ts'
export { type AgentSetup, repositoryTrust, type StdioMcpServer } from './setup/agent-setup.ts'
export type { McpChannel, McpRelay } from './setup/mcp-relay.ts'
export { type SetupContent, setupFiles } from './setup/setup-files.ts'
export { transcriptHas } from './transcript.ts'
export type { TurnResult } from './turn-result.ts'
