import { sessionId } from '@berth/contract'
import { z } from 'zod'

const absolute = z.string().regex(/^\/[^\0]*$/, 'expected an absolute path')
const whole = (min: number) => z.coerce.number().int().min(min)

const environment = z
  .object({
    BERTH_BACKEND_URL: z.url({ protocol: /^https?$/ }),
    BERTH_SESSION: sessionId,
    BERTH_PROJECT: z.string().min(1).max(100),
    BERTH_GENERATION: whole(1),
    BERTH_RUNNER_TOKEN: z.string().min(1).max(4096),
    BERTH_SESSION_DIR: absolute,
    BERTH_MEMORY_BYTES: whole(16 * 1024 ** 2),
    BERTH_PROCESSES: whole(8),
    BERTH_MILLI_CPUS: whole(10),
    BERTH_SANDBOX: z.enum(['bubblewrap', 'container', 'off']).default('bubblewrap'),
    BERTH_SOCKETS: absolute.optional(),
    BERTH_GRACE_MS: whole(1000).optional(),
    BERTH_GIT: z.enum(['direct', 'proxy']).default('direct'),
    BERTH_MIRROR_DIR: absolute,
    BERTH_CLAUDE_EXECUTABLE: absolute.optional(),
    BERTH_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
    PATH: z.string().default('/usr/local/bin:/usr/bin:/bin'),
    HOME: absolute.optional(),
  })
  .refine((values) => values.BERTH_SANDBOX !== 'container' || values.BERTH_SOCKETS !== undefined, {
    path: ['BERTH_SOCKETS'],
    message: 'is needed with BERTH_SANDBOX=container',
  })

/** What the runtime tells a runner when it starts it. */
export interface Config {
  /** The backend's port for runners, without a slash at the end. */
  backendUrl: string
  session: string
  project: string
  generation: number
  /** Opens the runners' routes for this generation; never leaves this process but to the backend. */
  token: string
  /** Holds everything of the session on this disk; only the runner and the sandbox use it. */
  sessionDirectory: string
  mirrorDirectory: string
  /** `proxy`: git servers are reached through the backend alone. */
  git: 'direct' | 'proxy'
  /** Of the agent and all that it starts. */
  limits: { memoryBytes: number; processes: number; milliCpus: number }
  sandbox: 'bubblewrap' | 'container' | 'off'
  /** Holds the door's socket and those of the containers' launchers; only with `container`. */
  sockets: string
  /** From SIGTERM to the end by force. */
  graceMs: number | undefined
  /** The native Claude Code. Default: the one that npm installed with the Agent SDK. */
  claude: string | undefined
  logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  /** The operator's own, for git on the trusted side. */
  path: string
  home: string | undefined
}

/** Something in the environment that the runner can't work with. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/** Reads the environment. Throws a ConfigError that names every variable that is missing or wrong, not its value. */
export const readConfig = (env: Record<string, string | undefined>): Config => {
  const parsed = environment.safeParse(env)
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
    throw new ConfigError(`The runner can't start: ${problems.join('; ')}. The runtime sets these variables.`)
  }
  const values = parsed.data
  return {
    backendUrl: values.BERTH_BACKEND_URL.replace(/\/+$/, ''),
    session: values.BERTH_SESSION,
    project: values.BERTH_PROJECT,
    generation: values.BERTH_GENERATION,
    token: values.BERTH_RUNNER_TOKEN,
    sessionDirectory: values.BERTH_SESSION_DIR.replace(/(?<=.)\/+$/, ''),
    git: values.BERTH_GIT,
    mirrorDirectory: values.BERTH_MIRROR_DIR,
    limits: {
      memoryBytes: values.BERTH_MEMORY_BYTES,
      processes: values.BERTH_PROCESSES,
      milliCpus: values.BERTH_MILLI_CPUS,
    },
    sandbox: values.BERTH_SANDBOX,
    sockets: values.BERTH_SOCKETS ?? '',
    graceMs: values.BERTH_GRACE_MS,
    claude: values.BERTH_CLAUDE_EXECUTABLE,
    logLevel: values.BERTH_LOG_LEVEL,
    path: values.PATH,
    home: values.HOME,
  }
}
