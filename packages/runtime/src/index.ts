export { type Clock, systemClock, type TimerHandle } from './clock.ts'
export type { DiagnoseOptions, RuntimeDiagnosis, RuntimeFinding } from './diagnosis.ts'
export {
  type EndReason,
  endReasons,
  type RunnerAbsent,
  type RunnerEnded,
  type RunnerObservation,
  type RunnerRunning,
  type RuntimeStep,
  runtimeSteps,
} from './observation.ts'
export { runnerEnvironment } from './runner-environment.ts'
export type { RunnerLimits, RunnerSpec, Runtime, StopOptions } from './runtime.ts'
export {
  isRuntimeError,
  RuntimeError,
  type RuntimeErrorFacts,
  type StartFailure,
  startFailures,
} from './runtime-error.ts'
export { checkSessionId, isSessionId } from './session-id.ts'
export { SessionLock } from './session-lock.ts'
