export { createManualClock, type ManualClock } from './clock.ts'
export type { FakeRunner } from './fake-runner.ts'
export { createFakeRuntime, type EndFacts, type FakeRuntime } from './fake-runtime.ts'
export { type LogInput, type LogStep, SessionLog, sessionRolls } from './session-log.ts'
