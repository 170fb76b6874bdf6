import type { SessionState } from '@berth/contract'
import type { Audience, Reader } from '../auth/session-role.ts'
import type { KnownSecrets } from '../secrets/secrets.ts'
import type { Command } from '../session/command.ts'
import type { AuditDraft } from './audit-store.ts'
import type { Page } from './port.ts'

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

export interface ListPage {
  /** Serialised items. */
  items: string[]
  next?: string
}

/** A change of a project's list, and whom it is for; without an audience: everybody in the project. */
export type ChangeLine = { revision: number; audience?: Audience } & (
  | { summary: string }
  | { removed: string }
)

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

/** Sessions: their logs, their states and the lists that show them; part of the store's port. */
export interface SessionStore {
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

  /** Which of these sessions exist (not purged). */
  existing(sessions: string[]): Promise<Set<string>>
  /** Which of these sessions somebody sees, who reads in their project. */
  seen(sessions: readonly string[], reader: Reader): Promise<Set<string>>
}
