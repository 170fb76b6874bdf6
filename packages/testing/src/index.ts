export { createManualClock, type ManualClock } from './clock.ts'
export type { FakeRunner } from './fake-runner.ts'
export { createFakeRuntime, type EndFacts, type FakeRuntime } from './fake-runtime.ts'
export {
  type GitHttpServer,
  type GitHttpServerOptions,
  type SeenRequest,
  startGitHttpServer,
} from './git-http-server.ts'
export { type Issuer, type IssuerKey, newIssuerKey, startIssuer } from './issuer/start-issuer.ts'
export { createTestBrowser, type TestBrowser } from './issuer/test-browser.ts'
export { type Postgres, startPostgres } from './postgres/start-postgres.ts'
export { type LogInput, type LogStep, SessionLog, sessionRolls } from './session-log.ts'
