export type { Delays } from './answer-messages.ts'
export type { Condition } from './condition-schema.ts'
export type { Fault } from './fault-schema.ts'
export type { Listening, ListenOptions } from './listen.ts'
export { builtInScenarios, loadScenarios, sampleRepository } from './load-scenarios.ts'
export { parseScenario, ScenarioError, validateScenario } from './parse-scenario.ts'
export { fingerprintOf, type RecordedRequest } from './request-record.ts'
export type { Answer, Scenario, ScenarioInput, Step } from './scenario-schema.ts'
export {
  createScriptedModel,
  type ScriptedModel,
  type ScriptedModelLogger,
  type ScriptedModelOptions,
} from './scripted-model.ts'
export type { Outcome } from './send-reply.ts'
