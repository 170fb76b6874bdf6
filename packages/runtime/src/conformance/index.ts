export { runtimeConformance } from './conformance.ts'
export {
  behaviourVariable,
  type ConformanceOptions,
  type RunnerBehaviour,
  type RuntimeHarness,
} from './harness.ts'
