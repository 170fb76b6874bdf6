import { type RunnerSpec, RuntimeError, runnerEnvironment } from '@berth/runtime'
import type { RunFiles } from './run-files.ts'

const defaults = { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8' }

/**
 * Exactly what the runner gets: PATH, HOME and LANG (from `base`, or defaults; HOME is the run directory, which no
 * agent can write), the rest of `base`, the spec's own, and last Berth's variables, which nothing replaces. Nothing of
 * the backend's environment is inherited. Throws RuntimeError (forbidden) for a name or value that can't be passed.
 */
export const environmentOf = (
  spec: RunnerSpec,
  files: RunFiles,
  base: Record<string, string>,
): Record<string, string> => {
  const environment = {
    ...defaults,
    HOME: files.directory,
    ...base,
    ...spec.env,
    ...runnerEnvironment(spec, files.sessionDirectory),
  }
  for (const [name, value] of Object.entries(environment)) {
    if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !value.includes('\0')) continue
    throw new RuntimeError({
      reason: 'forbidden',
      message: `The runner of ${spec.session} was not started: the environment variable ${JSON.stringify(name)} has a name or a value that can't be passed. Use letters, digits and _ in names, and no NUL in values.`,
      retryable: false,
    })
  }
  return environment
}
