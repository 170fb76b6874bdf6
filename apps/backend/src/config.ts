import { homedir, platform, userInfo } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { projectName } from '@berth/contract'
import { z } from 'zod'
import { type AuthSettings, authIssues, authSettingsOf, authVariables } from './auth/auth-settings.ts'
import { type S3Settings, s3SettingsOf, s3Variables, s3WithoutBucket } from './blobs/s3/settings.ts'
import { parseGitHosts } from './git-proxy/git-hosts.ts'
import { parseRateLimits, type RateLimits } from './http/rate-settings.ts'
import { listed } from './listed.ts'
import { parsePrivateHosts } from './outbound/private-hosts.ts'

const port = z.coerce.number().int().min(0).max(65_535)

const schema = z.object({
  /** Where everything is kept. */
  BERTH_DATA_DIR: z.string().min(1).optional(),
  /** Address of the API. */
  BERTH_HOST: z.string().min(1).default('127.0.0.1'),
  BERTH_PORT: port.default(7420),
  /** Address of the runners' routes. */
  BERTH_RUNNER_HOST: z.string().min(1).default('127.0.0.1'),
  BERTH_RUNNER_PORT: port.default(7421),
  /** Where runners run: as processes of this machine, or as Jobs of a Kubernetes cluster. */
  BERTH_RUNTIME: z.enum(['local', 'kubernetes']).default('local'),
  /** A YAML file with the settings of the Kubernetes runtime. */
  BERTH_KUBERNETES_CONFIG: z.string().min(1).optional(),
  /** `off`: the agent runs without a sandbox. */
  BERTH_SANDBOX: z.enum(['bubblewrap', 'off']).default('bubblewrap'),
  /** Directories, separated like PATH, under which local repositories may lie. Default: the home directory. */
  BERTH_REPOSITORY_ROOTS: listed(delimiter).optional(),
  /** Where runners find the runners' port, when that is not its own address: that of a proxy or a Service. */
  BERTH_RUNNER_URL: z.url({ protocol: /^https?$/ }).optional(),
  /** Seconds that requests under way are given to finish when the backend stops. */
  BERTH_DRAIN_SECONDS: z.coerce.number().int().min(0).max(3600).default(8),
  /** More host names, separated by commas, under which the API may be called. */
  BERTH_ALLOWED_HOSTS: listed(',').optional(),
  /** Hosts, separated by commas, that sessions may read from besides their own repositories; see `parseGitHosts`. */
  BERTH_GIT_HOSTS: listed(',').optional(),
  /** Hosts, separated by commas, that projects may name although their addresses are private; see `parsePrivateHosts`. */
  BERTH_PRIVATE_HOSTS: listed(',').optional(),
  /** Requests of one principal in ten seconds, separated by commas; see `parseRateLimits`. */
  BERTH_RATE_LIMITS: listed(',').optional(),
  /** `proxy`: also the git of runners on this machine goes through the git proxy. */
  BERTH_GIT: z.enum(['direct', 'proxy']).default('direct'),
  /** Needed when the API listens beyond this machine: the owner token opens everything. */
  BERTH_ALLOW_REMOTE_OWNER: z.enum(['true', 'false']).default('false'),
  /** A file with the owner's token. Default: `owner-token` in the data directory, made at the first start. */
  BERTH_OWNER_TOKEN_FILE: z.string().min(1).optional(),
  /** A JSON file with the keys that seal secrets. Default: `keys.json` in the data directory, made at the first start. */
  BERTH_KEYS_FILE: z.string().min(1).optional(),
  /** Ids, separated by commas, of keys that are gone for good: what they sealed has to be set anew. */
  BERTH_LOST_KEYS: listed(',').optional(),
  /** A file with a token that opens `/metrics` and nothing else. Default: only the owner's token does. */
  BERTH_METRICS_TOKEN_FILE: z.string().min(1).optional(),
  /** Projects that one may create, who is no platform admin. */
  BERTH_PROJECTS_PER_USER: z.coerce.number().int().min(0).max(100_000).default(50),
  /** Sessions that may live at once; more wait. Default: what fits in the memory, at most 16 for each core. */
  BERTH_MAX_LIVE_SESSIONS: z.coerce.number().int().min(1).max(100_000).optional(),
  /** MiB of memory that the agents of all sessions may use together when one more is started. Default: 75 % of the machine's. */
  BERTH_MEMORY_MIB: z.coerce.number().int().min(256).max(100_000_000).optional(),
  /** A PostgreSQL database, which several backends may share. Default: SQLite in the data directory. */
  BERTH_DATABASE_URL: z
    .url({
      protocol: /^postgres(ql)?$/,
      error: 'expected a URL such as postgres://user:password@host:5432/database',
    })
    .optional(),
  /** Connections to it at once. */
  BERTH_DATABASE_CONNECTIONS: z.coerce.number().int().min(2).max(500).default(10),
  /** A directory with scenarios for the scripted model, besides the built-in ones. */
  BERTH_SCENARIOS: z.string().min(1).optional(),
  /** A file with prices of models, on top of the built-in list. */
  BERTH_PRICES: z.string().min(1).optional(),
  /** A file with settings for all projects: defaults, and the most that they may set. */
  BERTH_SETTINGS: z.string().min(1).optional(),
  /** Projects that may use the platform's key when they have none of their own: `all`, `none`, or names. */
  BERTH_PLATFORM_KEY_PROJECTS: listed(',').optional(),
  /** Days that entries of the audit are kept; 0: for good. */
  BERTH_AUDIT_DAYS: z.coerce.number().int().min(0).max(36_500).default(365),
  /** A file to which each signed head of the audit is appended, as a JSON line. */
  BERTH_AUDIT_HEADS_FILE: z.string().min(1).optional(),
  ANTHROPIC_API_KEY: z.string().min(1).optional(),
  ANTHROPIC_BASE_URL: z.url({ protocol: /^https?$/ }).optional(),
  ...authVariables,
  ...s3Variables,
  BERTH_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
})

/** The backend's configuration. */
export interface Config {
  dataDir: string
  host: string
  port: number
  runnerHost: string
  runnerPort: number
  /** Undefined: the address of the runners' port itself. */
  runnerUrl: string | undefined
  drainMs: number
  /** Where runners run; on Kubernetes with the file of its settings. */
  runtime: { kind: 'local' } | { kind: 'kubernetes'; file: string }
  sandbox: 'bubblewrap' | 'off'
  repositoryRoots: string[]
  allowedHosts: string[]
  ownerTokenFile: string | undefined
  metricsTokenFile: string | undefined
  keysFile: string | undefined
  lostKeys: string[]
  gitHosts: string[]
  privateHosts: string[]
  runnersGit: 'direct' | 'proxy'
  rateLimits: RateLimits
  /** Undefined: SQLite in the data directory. */
  database: { url: string; connections: number } | undefined
  /** What is set of the capacity; the machine decides the rest. */
  capacity: { sessions: number | undefined; memoryMiB: number | undefined }
  projectsPerUser: number
  audit: { days: number; headsFile: string | undefined }
  scenarios: string | undefined
  prices: string | undefined
  settings: string | undefined
  /** Projects that may use it. */
  platformKeyProjects: 'all' | string[]
  apiKey: string | undefined
  apiUrl: string | undefined
  /** Where blobs are kept, when not in the data directory. */
  s3: S3Settings | undefined
  /** Who may ask besides the owner. */
  auth: AuthSettings
  logLevel: string
  /** Who the owner token stands for. */
  owner: { id: string; name: string }
}

const loopback = ['127.0.0.1', '::1', 'localhost']

/** Where data is kept when nothing else is said: the user's data home. */
const defaultDataDir = (env: NodeJS.ProcessEnv): string => {
  if (platform() === 'darwin') return join(homedir(), 'Library', 'Application Support', 'berth')
  return join(env.XDG_DATA_HOME ?? join(homedir(), '.local', 'share'), 'berth')
}

/** What a reader makes of a list. Throws with the variable's name. */
const checked = <T>(variable: string, items: string[], read: (items: string[]) => T): T => {
  try {
    return read(items)
  } catch (error) {
    throw new Error(`The configuration is not valid:\n  ${variable}: ${(error as Error).message}`)
  }
}

/** A list as it is, when its reader accepts it. */
const accepted =
  (read: (items: string[]) => unknown) =>
  (items: string[]): string[] => {
    read(items)
    return items
  }

/** Whoever uses a Berth of this machine alone reaches all that from here anyway. */
const privateHostsOf = (values: {
  BERTH_PRIVATE_HOSTS?: string[]
  BERTH_RUNTIME: 'local' | 'kubernetes'
  BERTH_HOST: string
}): string[] => {
  const isOwn = values.BERTH_RUNTIME === 'local' && loopback.includes(values.BERTH_HOST)
  const hosts = values.BERTH_PRIVATE_HOSTS ?? (isOwn ? ['*'] : [])
  return checked('BERTH_PRIVATE_HOSTS', hosts, accepted(parsePrivateHosts))
}

/** Pods reach the backend by an address that it can't know itself. */
const runtimeOf = (values: {
  BERTH_RUNTIME: 'local' | 'kubernetes'
  BERTH_KUBERNETES_CONFIG?: string
  BERTH_RUNNER_URL?: string
}): Config['runtime'] => {
  if (values.BERTH_RUNTIME === 'local') return { kind: 'local' }
  const file = values.BERTH_KUBERNETES_CONFIG
  if (file === undefined || values.BERTH_RUNNER_URL === undefined) {
    const missing = file === undefined ? 'BERTH_KUBERNETES_CONFIG' : 'BERTH_RUNNER_URL'
    throw new Error(`The configuration is not valid:\n  ${missing}: needed with BERTH_RUNTIME=kubernetes`)
  }
  return { kind: 'kubernetes', file }
}

/** Reads the environment, once. Throws one error that names every bad variable. */
export const readConfig = (env: NodeJS.ProcessEnv): Config => {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
  const parsed = schema.safeParse(given)
  const issues = (parsed.error?.issues ?? []).map(({ path, message }) => ({
    variable: path.join('.'),
    message,
  }))
  const wrong = [...issues, ...s3WithoutBucket(given), ...authIssues(given)]
  if (!parsed.success || wrong.length > 0) {
    const lines = wrong.map(({ variable, message }) => `  ${variable}: ${message}`)
    throw new Error(`The configuration is not valid:\n${lines.join('\n')}`)
  }
  const values = parsed.data
  if (!loopback.includes(values.BERTH_HOST) && values.BERTH_ALLOW_REMOTE_OWNER !== 'true')
    throw new Error(
      `BERTH_HOST=${values.BERTH_HOST} would open the API beyond this machine, where one owner token is all that protects it. Set BERTH_ALLOW_REMOTE_OWNER=true if that is what you want, and put TLS in front.`,
    )
  return {
    dataDir: resolve(values.BERTH_DATA_DIR ?? defaultDataDir(env)),
    host: values.BERTH_HOST,
    port: values.BERTH_PORT,
    runnerHost: values.BERTH_RUNNER_HOST,
    runnerPort: values.BERTH_RUNNER_PORT,
    runnerUrl: values.BERTH_RUNNER_URL,
    runtime: runtimeOf(values),
    drainMs: values.BERTH_DRAIN_SECONDS * 1000,
    sandbox: values.BERTH_SANDBOX,
    repositoryRoots: values.BERTH_REPOSITORY_ROOTS ?? [homedir()],
    allowedHosts: allowedHostsOf(values),
    ownerTokenFile: values.BERTH_OWNER_TOKEN_FILE,
    metricsTokenFile: values.BERTH_METRICS_TOKEN_FILE,
    gitHosts: checked('BERTH_GIT_HOSTS', values.BERTH_GIT_HOSTS ?? [], accepted(parseGitHosts)),
    privateHosts: privateHostsOf(values),
    rateLimits: checked('BERTH_RATE_LIMITS', values.BERTH_RATE_LIMITS ?? [], parseRateLimits),
    keysFile: values.BERTH_KEYS_FILE,
    lostKeys: values.BERTH_LOST_KEYS ?? [],
    runnersGit: values.BERTH_GIT,
    capacity: { sessions: values.BERTH_MAX_LIVE_SESSIONS, memoryMiB: values.BERTH_MEMORY_MIB },
    projectsPerUser: values.BERTH_PROJECTS_PER_USER,
    audit: { days: values.BERTH_AUDIT_DAYS, headsFile: values.BERTH_AUDIT_HEADS_FILE },
    scenarios: values.BERTH_SCENARIOS,
    prices: values.BERTH_PRICES,
    settings: values.BERTH_SETTINGS,
    platformKeyProjects: platformKeyProjectsOf(values.BERTH_PLATFORM_KEY_PROJECTS ?? ['all']),
    apiKey: values.ANTHROPIC_API_KEY,
    apiUrl: values.ANTHROPIC_BASE_URL,
    database:
      values.BERTH_DATABASE_URL === undefined
        ? undefined
        : { url: values.BERTH_DATABASE_URL, connections: values.BERTH_DATABASE_CONNECTIONS },
    s3: s3SettingsOf(values),
    auth: authSettingsOf(values),
    logLevel: values.BERTH_LOG_LEVEL,
    owner: { id: 'owner', name: userName() },
  }
}

/** `all` and `none` stand alone; anything else is a list of names. */
const platformKeyProjectsOf = (names: string[]): 'all' | string[] => {
  const [first] = names
  if (names.length === 1 && first === 'all') return 'all'
  if (names.length === 1 && first === 'none') return []
  const wrong = names.filter((name) => !projectName.safeParse(name).success || ['all', 'none'].includes(name))
  if (wrong.length === 0) return names
  throw new Error(
    `The configuration is not valid:\n  BERTH_PLATFORM_KEY_PROJECTS: expected all, none, or names of projects, not ${wrong.join(', ')}`,
  )
}

/** The name under which people reach Berth is one that it answers to. */
const allowedHostsOf = ({
  BERTH_ALLOWED_HOSTS: hosts = [],
  BERTH_PUBLIC_URL: url,
}: {
  BERTH_ALLOWED_HOSTS?: string[]
  BERTH_PUBLIC_URL?: string
}): string[] =>
  [...hosts, ...(url === undefined ? [] : [new URL(url).hostname])].map((host) => host.toLowerCase())

/** A container may run as a user that its image does not name. */
const userName = (): string => {
  try {
    return userInfo().username
  } catch {
    return 'owner'
  }
}
