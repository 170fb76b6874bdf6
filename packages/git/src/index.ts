export { collect } from './collect.ts'
export { gitProblem } from './git-problem.ts'
export { lastLine } from './last-line.ts'
export { type RemoteRefs, readRemoteRefs } from './remote-refs.ts'
export { findRepository, PlaceRefused, type RepositoryPlace } from './repository-place.ts'
export {
  type GitSurroundings,
  runTrusted,
  strictness,
  type TrustedGit,
  type TrustedResult,
} from './trusted.ts'
