import type {
  Actor,
  BlobRef,
  LogLine,
  LogSource,
  Project,
  SessionState,
  Settings,
  StoredLogLine,
  Subject,
} from '@berth/contract'
import type { Audience, Reader } from '../auth/session-role.ts'
import type { KnownSecrets } from '../secrets/secrets.ts'
import type { Command } from '../session/command.ts'
import type { AccessStore } from './access-store.ts'
import type { AuditDraft, AuditStore } from './audit-store.ts'
import type { BrowserSessionStore } from './browser-session-store.ts'
import type { LifecycleStore } from './lifecycle-store.ts'
import type { SecretStore } from './secret-store.ts'
import type { UploadStore } from './upload-store.ts'
import type { UsageStore } from './usage-store.ts'

/** A place in a log with the event there, serialised ready to send. */
export interface Line {
  seq: number
  json: string
}

/** Makes a command single: the same key with the same body gives the first outcome again. */
export interface Idempotency {
  /** Principal and route. */
  scope: string
  key: string
  /** SHA-256 of what was asked, in hex. Another hash under the same key is refused. */
  hash: string
}

export interface AppendRequest {
  session: string
  /** The project in which the caller sees the session; another one is `session_not_found`. Left out by the backend itself. */
  project?: string
  command: Command
  /** The id of the turn that may start by this. */
  turn: string
  /** Milliseconds since 1970. */
  now: number
  /** What must not be shown in the session's project: it is hidden in everything that is appended. */
  secrets?: KnownSecrets
  idempotency?: Idempotency
  /** The version of the project's settings that the command was made from: another one is `version_mismatch`. */
  settingsVersion?: number
  /** With `launch`: SHA-256 in hex of the token of the new generation's runner. */
  tokenHash?: string
  /** Recorded with what is appended; of a replay, or when nothing is appended, nothing. */
  audit?: AuditDraft
}

export interface AppendResult {
  state: SessionState
  /** The summary as JSON, ready to send. */
  summary: string
  /** What was appended; empty when the command changed nothing or was replayed. */
  lines: Line[]
  /** The project's revision after it; missing when the summary that lists show did not change. */
  revision?: number
  /** The tombstone that it left, because not all who saw the session still do; at the revision before. */
  hidden?: ChangeLine
  /** True: the idempotency key was known, and this is the outcome of then: `summary`, `first`, `position`, `prompt`. */
  replayed: boolean
  /** `seq` of the first appended event, then as at a replay. */
  first: number
  /** Prompts that waited before a prompt of this command, then as at a replay. */
  position: number
  /** The prompt's id, when the command brought one; then as at a replay. */
  prompt?: string
}

/** The names under which somebody sees sessions. */
export interface Viewer {
  subjects: readonly Subject[]
}

export interface ProjectFilter {
  /** Counts only the sessions that these see. Default: all. */
  viewer?: Viewer
  /** Archived ones too. Default: false. */
  archived?: boolean
}

export interface SessionFilter {
  phases?: string[]
  /** Id of the owner. */
  owner?: string
  /** All must match; without a value any value does. */
  labels?: { key: string; value?: string }[]
  /** In the title, without regard to case. */
  text?: string
  /** Only what somebody sees. Default: everything. */
  reader?: Reader
  deleted: boolean
}

/** Keyset page: items after the one that `cursor` names. */
export interface Page {
  limit: number
  cursor?: string
}

export interface ListPage {
  /** Serialised items. */
  items: string[]
  next?: string
}

/** Who a runner's token belongs to. */
export interface RunnerIdentity {
  session: string
  project: string
  generation: number
  /** False: the generation is over, its runner is fenced out. */
  current: boolean
  /** The stamp of its project's secrets, see `secretStamp`; missing: it was not looked for. */
  secrets?: number
}

/** What the reconciler reads of a session besides its state. */
export interface GenerationRow {
  generation: number
  startedAt: number
  /** Milliseconds since 1970; undefined before the first. */
  heartbeatAt: number | undefined
}

/** Who has room for a runner, and who wants some. */
export interface Occupancy {
  /** Sessions with a runner, and those whose runner was lost and that keep their place. */
  live: {
    session: string
    project: string
    owner: string
    /** What the agent used at the last heartbeat that said so. */
    memoryBytes: number | undefined
    /** MiB and thousandths of a core that its runner was started with. */
    memoryMiB: number | undefined
    milliCpus: number | undefined
  }[]
  /** Sessions that wait to be started, with the time since when, and the MiB and thousandths of a core that they set for themselves. */
  waiting: {
    session: string
    project: string
    owner: string
    since: number
    memoryMiB: number | undefined
    milliCpus: number | undefined
  }[]
}

export interface ProjectRow extends Project {
  settings: Settings
  settingsVersion: number
}

export interface ProjectEdit {
  displayName?: string
  description?: string
  settings?: Settings
  expectedVersion: number
  now: number
}

/** A change of a project's list, and whom it is for; without an audience: everybody in the project. */
export type ChangeLine = { revision: number; audience?: Audience } & (
  | { summary: string }
  | { removed: string }
)

/** A base pack of a project: where its parts lie in the blob store, and which they are once it is whole. */
export interface BaseRow {
  scope: string
  parts: BlobRef[] | undefined
}

/** A secret that opens something for a while, known by its SHA-256. */
export interface Grant {
  /** `sign-in`: one that was begun at the issuer. */
  kind: 'ticket' | 'browser' | 'sign-in'
  hash: string
  principal: Actor
  expiresAt: number
}

/**
 * What was appended, told to those who watch. A hint: one about what another backend appended may be lost, late, doubled or
 * out of order; the tables are the truth.
 */
export interface Notice {
  session: string
  project: string
  /** The last event. */
  seq: number
  /** The appended events; missing when another backend appended them. */
  lines?: Line[]
  /**
   * With `summary`: the project's list changed. `removed`: the session was purged. With neither, the list changed by what
   * another backend appended.
   */
  change?: ChangeLine | { revision: number }
  /** With `summary`: what the list tells before it. */
  hidden?: ChangeLine
}

/** Places up to which logs and lists of sessions have come, by session id and by project name. */
export interface Heads {
  sessions: Map<string, number>
  projects: Map<string, number>
}

/** How long the events of an operation stay after its answer, so that whoever waits for it has seen them. */
export const operationMs = 300_000

/**
 * Where everything is kept. Every method that changes something is atomic and durable when it resolves; none is
 * partly done when it rejects. Rejections are `BerthError`s where the caller can do something (`session_not_found`,
 * `storage_full`, …), others are faults. Reads see everything that was acknowledged before they were called.
 * Adapters pass `storeConformance`. Nothing outside an adapter knows its database.
 */
export interface Store
  extends AccessStore,
    AuditStore,
    BrowserSessionStore,
    LifecycleStore,
    SecretStore,
    UploadStore,
    UsageStore {
  readonly kind: 'sqlite' | 'postgres'

  /**
   * Locks the session's row, lets `decide` say what the command does, appends the events without a gap in `seq`, and
   * stores state, summary and revision, in one transaction. Appends of many sessions may share a transaction; each
   * sees its predecessors, and one that is refused changes nothing for the others. Resolves when durable, in the
   * order of commit for one session.
   */
  append(request: AppendRequest): Promise<AppendResult>

  /**
   * Every notice of what this backend appended, in `seq` order per session and revision order per project; and where
   * backends share the store, of what others appended, as far as they reach us.
   */
  watch(listener: (notice: Notice) => void): () => void

  /** Summary as JSON, with the version for `If-Match`. Undefined: no such session in that project. */
  summary(project: string, session: string): Promise<string | undefined>
  state(session: string): Promise<SessionState | undefined>
  list(project: string, filter: SessionFilter, page: Page): Promise<ListPage>
  /** Events with `after < seq`, in order, up to `limit` and about `maxBytes` (always at least one, if there is one). */
  events(session: string, range: { after: number; limit: number; maxBytes: number }): Promise<Line[]>
  /** The last event of a type (any but `block.delta` and those of operations), of one turn if given. */
  lastEvent(session: string, filter: { type: string; turn?: string }): Promise<Line | undefined>
  /** Events of a type (any but `block.delta`), the last first, at most `limit`; with `below`: those with a lower `seq`. */
  eventsOfType(session: string, filter: { type: string; below?: number; limit: number }): Promise<Line[]>
  /**
   * What a key stands for already: the session and the `seq` of the first event of then. Rejects with
   * `idempotency_mismatch` when it stands for something else.
   */
  outcome(idempotency: Idempotency, now: number): Promise<{ session: string; first: number } | undefined>

  /**
   * Changes of a project's list after a revision, oldest first, of what the reader sees or saw; without one, of everything.
   * `reset` when the revision is older than what is kept.
   */
  changes(
    project: string,
    range: { after: number; limit: number; reader?: Reader },
  ): Promise<{ items: ChangeLine[]; reset: boolean }>
  revision(project: string): Promise<number>
  /** How far these have come, at the cost of one look; those that are gone are left out. */
  heads(watched: { sessions: string[]; projects: string[] }): Promise<Heads>

  /**
   * Rejects with `project_exists`, also while one of that name is being deleted; with `too_many_projects` when its creator has
   * created `maxOwn` that are still there. The creator becomes its admin.
   */
  createProject(project: {
    name: string
    displayName: string
    description: string
    settings: Settings
    now: number
    /** Missing: the backend itself. */
    creator?: Actor
    /** Default: no limit. */
    maxOwn?: number
  }): Promise<ProjectRow>
  /** `viewer`: counts only the sessions that these see. */
  project(name: string, viewer?: Viewer): Promise<ProjectRow | undefined>
  /** Only its settings: cheap, for what asks often. */
  projectSettings(name: string): Promise<Pick<ProjectRow, 'settings' | 'settingsVersion'> | undefined>
  /** By name; without archived ones, unless asked. */
  projects(page: Page, filter?: ProjectFilter): Promise<{ items: ProjectRow[]; next?: string }>
  /** Rejects with `version_mismatch`; settings and names have a version each. */
  editProject(name: string, edit: ProjectEdit): Promise<ProjectRow>

  runner(tokenHash: string): Promise<RunnerIdentity | undefined>
  /** Replaces the token of the current generation, when its runner has to be asked for again. */
  setRunnerToken(session: string, generation: number, tokenHash: string): Promise<void>
  /** A heartbeat that measured no memory keeps what was measured before. */
  heartbeat(session: string, generation: number, beat: { now: number; memoryBytes?: number }): Promise<void>
  generation(session: string): Promise<GenerationRow | undefined>

  /**
   * Keeps lines of a live generation's log, numbered in their order; of a session's lines of one source only the
   * newest stay, up to `limits.logLines` and `limits.logBytes`: a loud agent leaves the runner's alone. Rejects with `fenced` for a generation that is over.
   */
  addLogs(session: string, generation: number, lines: LogLine[]): Promise<void>
  /** Lines with `after < n`, oldest first, up to `limit`; without `after` the newest ones. None of an unknown session. */
  logs(
    session: string,
    range: { source?: LogSource; after?: number; limit: number },
  ): Promise<StoredLogLine[]>

  /**
   * Sessions that may need a step: live ones that should stop or have been silent since `silentBefore`, pending and
   * deleted ones that are due, and failed ones whose runner still lives. At most `limit`, those that waited longest first.
   * Several backends are given different ones, each for a few seconds.
   */
  attention(query: { now: number; silentBefore: number; limit: number }): Promise<string[]>
  /** Sessions of all projects that live or are to. */
  occupancy(): Promise<Occupancy>
  /** Which of these sessions exist (not purged). */
  existing(sessions: string[]): Promise<Set<string>>
  /** Which of these sessions somebody sees, who reads in their project. */
  seen(sessions: readonly string[], reader: Reader): Promise<Set<string>>
  /** Takes or renews a lease for `ttlMs`, by the store's own time; false when another holder has it. */
  lease(name: string, holder: string, ttlMs: number): Promise<boolean>
  release(name: string, holder: string): Promise<void>

  /**
   * Deletes deltas of completed blocks, and events of operations that were answered `operationMs` before `now`, at most
   * `limit` events; says how many.
   */
  compact(query: { now: number; limit: number }): Promise<number>
  /** Removes expired idempotency records, uploads older than `limits.uploadHours`, grants, and tombstones older than `before`. */
  expire(query: { now: number; before: number }): Promise<void>
  /** Removes a deleted session with everything and leaves a tombstone in the project's changes. */
  purge(session: string, now: number): Promise<void>

  /** The project's base of that key. */
  base(project: string, key: string): Promise<BaseRow | undefined>
  /**
   * Notes that a session needs the base of that key in its project, and makes it, without parts, if it isn't there:
   * under `scope` then. Rejects with `session_not_found`.
   */
  useBase(session: string, base: { key: string; scope: string }): Promise<BaseRow>
  /** Makes the base of that key in a project, without parts, if it isn't there: under `scope` then. Nobody needs it yet. */
  makeBase(project: string, base: { key: string; scope: string }): Promise<BaseRow>
  /** The new session needs what the other one needs, so that nothing of it is removed meanwhile. */
  shareBases(from: string, to: string): Promise<void>
  /** Says which parts make the base whole. The first call counts. Undefined: there is no such base. */
  completeBase(project: string, key: string, parts: BlobRef[]): Promise<BaseRow | undefined>
  /** Removes bases that were found unused in calls since `before`, and notes which are unused now. Their scopes. */
  dropBases(query: { now: number; before: number }): Promise<string[]>
  /** Which of these scopes are bases. */
  existingBases(scopes: string[]): Promise<Set<string>>

  putGrant(grant: Grant): Promise<void>
  grant(kind: Grant['kind'], hash: string, now: number): Promise<Grant | undefined>
  /** Reads and removes it, once. */
  takeGrant(kind: Grant['kind'], hash: string, now: number): Promise<Grant | undefined>
  removeGrant(kind: Grant['kind'], hash: string): Promise<void>

  /** Counts for metrics. */
  stats(): Promise<{ sessions: Record<string, number>; bytes: number }>
  /** Rejects when the store does not answer. */
  ping(): Promise<void>
  /** Finishes what was accepted, then closes. */
  close(): Promise<void>
}
