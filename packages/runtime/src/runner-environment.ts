import type { RunnerSpec } from './runtime.ts'

/**
 * The variables by which every runtime tells a runner what it is. `directory` is where the runner keeps its
 * workspace, the agent's home and its outbox.
 */
export const runnerEnvironment = (spec: RunnerSpec, directory: string): Record<string, string> => ({
  BERTH_BACKEND_URL: spec.backendUrl,
  BERTH_SESSION: spec.session,
  BERTH_PROJECT: spec.project,
  BERTH_GENERATION: String(spec.generation),
  BERTH_RUNNER_TOKEN: spec.token,
  BERTH_SESSION_DIR: directory,
  BERTH_MEMORY_BYTES: String(spec.limits.memoryBytes),
  BERTH_PROCESSES: String(spec.limits.processes),
  BERTH_MILLI_CPUS: String(spec.limits.milliCpus),
})
