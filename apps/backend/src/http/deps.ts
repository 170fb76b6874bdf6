import type { BranchList, Diagnosis, System } from '@berth/contract'
import type { Logger } from 'pino'
import type { ChainKeys } from '../audit/chain-keys.ts'
import type { Access } from '../auth/access.ts'
import type { Authenticator } from '../auth/authenticator.ts'
import type { Auth } from '../auth/open-auth.ts'
import type { Standing } from '../auth/standing.ts'
import type { BlobStore } from '../blobs/port.ts'
import type { Checkpoints } from '../checkpoints/checkpoints.ts'
import type { EgressBroker } from '../egress/egress-broker.ts'
import type { Tail } from '../events/tail.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { Providers } from '../gateway/providers/providers.ts'
import type { BranchesOf } from '../git/list-branches.ts'
import type { GitRemote } from '../git-credentials/git-access.ts'
import type { InspectGit } from '../git-credentials/git-parts.ts'
import type { GitProxy } from '../git-proxy/git-proxy.ts'
import type { McpProxy } from '../mcp/mcp-proxy.ts'
import type { Metrics } from '../observe/metrics.ts'
import type { Operations } from '../operations/operations.ts'
import type { Outbound } from '../outbound/outbound.ts'
import type { Cipher } from '../secrets/cipher.ts'
import type { KeyRing } from '../secrets/key-ring.ts'
import type { StoredSecrets } from '../secrets/stored-secrets.ts'
import type { Admission } from '../session/admission/admission.ts'
import type { SessionService } from '../session/service.ts'
import type { Store } from '../store/port.ts'
import type { RateLimits } from './rate-settings.ts'
import type { Streams } from './stream.ts'

/** Everything that the HTTP apps need; they own none of it. */
export interface Deps {
  store: Store
  blobs: BlobStore
  service: SessionService
  operations: Operations
  checkpoints: Checkpoints
  admission: Pick<Admission, 'view' | 'wake'>
  /** Follows sessions' logs, by session id. */
  events: Tail
  /** Follows projects' session lists, by project name. */
  changes: Tail
  streams: Streams
  authenticator: Authenticator
  /** How browsers sign in, and what holds back who guesses. */
  auth: Pick<Auth, 'links' | 'signIn' | 'ways' | 'throttles'>
  owner: { id: string; name: string }
  /** Where people reach the API and the page. */
  publicUrl: () => string
  /** Addresses and ranges of proxies whose word about a client counts. */
  trustedProxies: readonly string[]
  access: Access
  /** What those may do who asked for something earlier. */
  standing: Standing
  gateway: Gateway
  providers: Providers
  /** The way to addresses that a project names. */
  outbound: Outbound
  mcp: McpProxy
  git: GitProxy
  egress: EgressBroker
  secrets: StoredSecrets
  /** Seals what is not a project's secret, such as tokens of browser sessions. */
  cipher: Cipher
  keys: KeyRing
  metrics: Metrics
  /** Seals the audit, and checks it. */
  auditKeys: ChainKeys
  log: Logger
  system: () => Promise<System>
  diagnose: (project: string) => Promise<Diagnosis>
  /** Rejects a repository that may not be used; `field` names its place in the request. */
  checkRepository: (url: string, field: string) => Promise<void>
  /** The branches of a repository that may be used. */
  listBranches: (of: BranchesOf) => Promise<BranchList>
  /** How the backend's own git signs in with what a project has for a host; undefined: as the operator. */
  gitRemote: GitRemote
  /** What a git host says of a credential of a project. */
  inspectGit: InspectGit
  /** Default: `usualRateLimits`. */
  rateLimits?: RateLimits
  /** Projects that one may create, who is no platform admin. */
  projectsPerUser: number
  /** A project is to be deleted, or to come to rest. */
  settleProjects: () => void
  allowedHosts: readonly string[]
  repositoryRoots: readonly string[]
  /** False while the process starts or drains. */
  ready: () => boolean
  /** True when the process drains: requests are refused, and their senders come back. */
  closing: () => boolean
  now: () => number
  random: (bytes: number) => Uint8Array
  /** Checks every answer against its schema. Default: false. */
  checkAnswers?: boolean
  /** Milliseconds in which a whole request must arrive. Default: 60,000. */
  requestTimeoutMs?: number
}
