export { collect } from './collect.ts'
export { lastLine } from './last-line.ts'
export {
  type GitSurroundings,
  runTrusted,
  strictness,
  type TrustedGit,
  type TrustedResult,
} from './trusted.ts'
