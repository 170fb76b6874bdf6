export { type BoxedResult, type BoxedScript, runBoxed, startBoxed } from './boxed.ts'
export { collect } from './collect.ts'
export { gitProblem } from './git-problem.ts'
export type { GitProxy } from './git-proxy.ts'
export { lastLine } from './last-line.ts'
export { type RemoteGuard, runRemote } from './remote.ts'
export { type RemoteRefs, readRemoteRefs } from './remote-refs.ts'
export { findRepository, PlaceRefused, type RepositoryPlace } from './repository-place.ts'
export {
  type GitSurroundings,
  runTrusted,
  startTrusted,
  strictness,
  type TrustedGit,
  type TrustedProcess,
  type TrustedResult,
} from './trusted.ts'
