import type { OperatorSettings } from '@berth/contract'
import type { GitSurroundings } from '@berth/git'
import type { Clock, Runtime } from '@berth/runtime'
import type { Logger } from 'pino'
import type { AuthSettings } from './auth/auth-settings.ts'
import type { Authenticator } from './auth/authenticator.ts'
import type { TokenReviewer } from './auth/token-review/token-reviewer.ts'
import type { BlobStore } from './blobs/port.ts'
import type { CheckpointParts } from './checkpoints/checkpoints.ts'
import type { ModelSource } from './gateway/model-source.ts'
import type { Prices } from './gateway/prices.ts'
import type { SecretValues } from './git-credentials/git-credentials.ts'
import type { GitProxyLimits } from './git-proxy/git-limits.ts'
import type { RateLimits } from './http/rate-settings.ts'
import type { KeyRing } from './secrets/key-ring.ts'
import type { KnownValues } from './secrets/known-values.ts'
import type { Capacity } from './session/admission/capacity.ts'
import type { Store } from './store/port.ts'

/** The parts that differ between a laptop and a cluster, and between the product and its tests. */
export interface BackendParts {
  store: Store
  blobs: BlobStore
  runtime: Runtime
  source: ModelSource
  /** Projects that may use the platform's key when they have no provider of their own. Default: all. */
  platformKeyProjects?: 'all' | readonly string[]
  /** Default: the built-in price list. */
  prices?: Prices
  /** What the operator sets for all projects. Default: nothing. */
  operator?: OperatorSettings
  checkpoints: CheckpointParts
  log: Logger
  /** What the log shows nothing of; whatever the backend opens is added. Default: a log that shows everything. */
  known?: KnownValues
  /** How the audit is kept: days (default: 365; 0: for good), and a file for its signed heads (default: none). */
  audit?: { days?: number; headsFile?: string }
  ownerToken: string
  /** With which secrets are sealed. */
  keys: KeyRing
  /** Ids of keys that are gone for good, though secrets are sealed with them. Default: none. */
  lostKeys?: readonly string[]
  /** Opens `/metrics` and nothing else. Default: none does. */
  metricsToken?: string
  owner: { id: string; name: string }
  repositoryRoots: readonly string[]
  /** For git that talks to remotes with the operator's credentials. Default: none, and git from the PATH. */
  surroundings?: GitSurroundings
  /** The values of projects' secrets. Default: those of the store. */
  secrets?: SecretValues
  /** The git proxy: hosts as `parseGitHosts` reads them. Default: none, and the standard limits. */
  git?: { hosts: readonly string[]; limits?: Partial<GitProxyLimits> }
  /** Hosts that projects may name although their addresses are private, as `parsePrivateHosts` reads them. Default: none. */
  privateHosts?: readonly string[]
  allowedHosts: readonly string[]
  listen: { host: string; port: number; runnerHost: string; runnerPort: number }
  /** Where runners find the runners' port. Default: its address on this machine. */
  runnerUrl?: string
  /** Projects that one may create, who is no platform admin. Default: 50. */
  projectsPerUser?: number
  /** What there is room for. Default: no limit. */
  capacity?: Capacity
  /** Default: the system's. */
  clock?: Clock
  /** Who may ask besides the owner, and where people reach Berth. Default: nobody, at its own address. */
  auth?: AuthSettings
  /** Asked about tokens of a Kubernetes cluster, where they are taken. */
  tokenReviewer?: TokenReviewer
  /** Failed sign-ins of an address that cost it nothing. Default: as `Throttle`. */
  freeFailures?: number
  /** Who finds out who is asking. Default: as `auth` says. */
  authenticator?: Authenticator
  /** Checks every answer against its schema. Default: false. */
  checkAnswers?: boolean
  /** Requests of one principal in ten seconds. Default: `usualRateLimits`. */
  rateLimits?: RateLimits
  /** Milliseconds in which a whole request must arrive. Default: 60,000. */
  requestTimeoutMs?: number
  /** Milliseconds between two heartbeats of a stream. Default: 10,000. */
  heartbeatMs?: number
  /** Milliseconds after which the rights of a stream's reader are asked for again. Default: 3000. */
  recheckMs?: number
  /** Milliseconds that a runner may take to answer an operation. Default: 30,000. */
  operationMs?: number
  /** Milliseconds that requests under way are given to finish when it closes. Default: 8,000. */
  drainMs?: number
}
