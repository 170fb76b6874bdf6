import type { LogLine, LogSource, ProjectRole, Visibility } from '@berth/contract'
import type { Generated } from 'kysely'
import type { ProjectState } from './lifecycle-store.ts'

export interface UsageColumns {
  requests: number
  /** Requests of models without a price. */
  unpriced: number
  input_tokens: number
  output_tokens: number
  cache_read_tokens: number
  cache_write_tokens: number
  /** Of the requests with a price. */
  cost_usd: number
}

/** Times are milliseconds since 1970; JSON is text, stored as it is sent. */
export interface Tables {
  meta: { name: string; value: string }
  projects: {
    name: string
    display_name: string
    description: string
    created_at: number
    updated_at: number
    version: number
    settings: string
    settings_version: number
    /** Counts the changes of the session list. */
    revision: number
    state: ProjectState
    /** Who created it, as kind and id; what counts against how many one may create. */
    created_by: string
    /** While it is being deleted: a `DeletionRow` as JSON. */
    deletion: string | null
    /** The newest tombstone that was removed: changes up to here can't be told any more. */
    forgotten: number
  }
  /** Names of projects that are gone, with their last revision: another one of that name goes on from there. */
  former_projects: { name: string; revision: number }
  /** Who has a role in a project. The only place that says so. */
  members: {
    project: string
    /** Kind and id, as `user:ada@example.com`. */
    subject: string
    role: ProjectRole
    /** Who is shown for it. */
    name: string | null
    added_at: number
    /** The actor, as JSON. */
    added_by: string
  }
  /** API keys; their roles stand in `members`. */
  keys: {
    id: string
    /** As `members` has it: `key:` and the id. */
    subject: string
    /** Whose admins rotate and revoke it. */
    project: string
    name: string
    /** SHA-256 of the secret, in hex; empty once it is revoked. */
    hash: string
    /** The hash before the last rotation, which counts until `grace_until`. */
    previous_hash: string | null
    grace_until: number | null
    /** The actor, as JSON, and as `kind:id`. */
    created_by: string
    creator: string
    created_at: number
    expires_at: number
    rotated_at: number | null
    last_used_at: number | null
    last_address: string | null
    revoked_at: number | null
  }
  /** Tokens and browser sessions of a subject that began before count no more. */
  revocations: { subject: string; at: number }
  /** Groups of people and services that sent something: names as JSON, and when they were seen. */
  known_groups: { subject: string; groups: string; seen_at: number }
  sessions: {
    /** Short key for the tables below, never used twice. */
    number: Generated<number>
    id: string
    project: string
    created_at: number
    owner_kind: string
    owner_id: string
    visibility: Visibility
    /** Who sees it while it is private, as JSON: each of kind, id and role, in this order. */
    shares: string
    title_folded: string
    phase: string
    deleted: number
    /** When the reconciler should look; null: nothing to do until something happens. */
    due_at: number | null
    /** `has`: a runner, or a place that is kept for the next one; `wants`: waits for room; null: neither. */
    room: string | null
    /** Since when it wants room. */
    room_since: number | null
    /** MiB that its runner was started with when it has room, else those that it sets for itself; null: it sets none. */
    memory_mib: number | null
    /** CPU in thousandths of a core, likewise. */
    milli_cpus: number | null
    generation: number
    /** The last event. */
    seq: number
    /** The project's revision at the last change that lists show. */
    revision: number
    summary: string
    /** The state without its summary. */
    rest: string
  }
  labels: { session: number; key: string; value: string }
  events: {
    /** Where the event stands among all, see `place.ts`: the logs lie one after another. */
    place: number
    session: number
    seq: number
    type: string
    /** The turn, of events that are looked up by it. */
    turn: string | null
    /** What the event goes with, of those that go: the block of a delta, the operation of its events. */
    block: string | null
    json: string
  }
  /** What a project used per day (UTC), user and model, also by sessions that are gone. */
  usage: UsageColumns & { project: string; day: string; user_id: string; model: string }
  /** The same per session, as long as it exists. */
  session_usage: UsageColumns & { project: string; session: string; day: string; model: string }
  /**
   * What counts against budgets that sessions share, read before every request to a model: in a month or on a day (UTC), by
   * a user, or by everybody (empty).
   */
  budget_usage: { project: string; user_id: string; period: string; tokens: number; cost_usd: number }
  /** Blocks whose deltas, and operations whose events, can go from a time on. */
  completed_blocks: { session: number; block: string; due_at: number }
  /** Sessions that are gone but for their events. */
  purges: { session: number }
  /** What was removed from lists: for all who saw it, or for those of them who see it no more. */
  tombstones: {
    project: string
    revision: number
    session: string
    at: number
    /** Who saw it. */
    owner_kind: string
    owner_id: string
    visibility: Visibility
    shares: string
    /** With whom it is still shared; null: the session is gone. */
    kept: string | null
  }
  generations: {
    session: number
    generation: number
    token_hash: string | null
    started_at: number
    heartbeat_at: number | null
    /** The last sign of life: start or heartbeat. */
    seen_at: number
    live: number
    /** What its agent used at the last heartbeat that said so. */
    memory_bytes: number | null
  }
  /** Packs of what many sessions start from. */
  bases: {
    /** Under which the blob store has its parts. Never used twice. */
    scope: string
    project: string
    key: string
    /** Null: not whole yet. */
    parts: string | null
    /** Since when no session uses it, as far as it was looked for; null: one did. */
    idle_since: number | null
  }
  base_uses: { session: number; scope: string }
  /** What runners and agents wrote; bounded per session. */
  logs: {
    session: number
    n: number
    generation: number
    source: LogSource
    level: LogLine['level'] | null
    at: number
    text: string
  }
  uploads: {
    id: string
    session: number
    project: string
    path: string
    size: number
    /** What else is known of the file, as JSON. */
    about: string
    /** Bytes that are there. */
    stored: number
    /** The parts' hashes, as JSON. */
    parts: string
    created_at: number
  }
  secrets: {
    project: string
    name: string
    kind: string
    /** Of `environment`: the variable that holds it. */
    variable: string | null
    note: string
    /** The current value among its versions. */
    version: number
    created_at: number
    used_at: number | null
    used_for: string | null
  }
  /** Values as the cipher gave them. Also former ones, and those of secrets that are gone: they are still hidden where they are shown. */
  secret_versions: {
    project: string
    name: string
    version: number
    sealed: string
    /** The key with which it is sealed. */
    key_id: string
    /** Its length before. */
    bytes: number
    fingerprint: string
    set_at: number
    /** Who set it, as JSON. */
    set_by: string
    /** Since when it is a former one; null: it is current. */
    replaced_at: number | null
  }
  /** Changes with every change of a project's values, and never comes back. */
  secret_stamps: { project: string; stamp: number }
  idempotency: {
    scope: string
    key: string
    hash: string
    session: string
    /** Empty once the session is purged. */
    summary: string
    first: number
    position: number
    prompt: string | null
    created_at: number
  }
  leases: { name: string; holder: string; expires_at: number }
  /** `subject`: the actor as `kind:id`. */
  grants: { kind: string; hash: string; subject: string; principal: string; expires_at: number }
  /** Who did what. Rows are added, sealed once, and removed when they are old. */
  audit: {
    /** The order in which they were added; not that of commit. */
    place: Generated<number>
    id: string
    at: number
    actor_kind: string
    actor_id: string
    actor_name: string | null
    action: string
    project: string | null
    session: string | null
    object_kind: string | null
    object_id: string | null
    result: string
    code: string | null
    address: string | null
    request_id: string | null
    /** JSON. */
    details: string | null
    /** Its place in the chain; null: not sealed yet. */
    number: number | null
    previous: string | null
    /** SHA-256 over the digest before and this entry, in hex. */
    digest: string | null
    /** HMAC-SHA256 of the digest, in hex, and the id of the key of it. */
    seal: string | null
    key_id: string | null
  }
  /** Browsers that people signed in through the issuer. */
  browser_sessions: {
    hash: string
    subject: string
    user_id: string
    /** As JSON. */
    identity: string
    created_at: number
    used_at: number
    expires_at: number
    refresh_at: number | null
    sealed: string | null
    sid: string | null
  }
  /** The last entry that was sealed (`tip`), and the last that was removed, signed (`anchor`). */
  audit_chain: {
    name: string
    number: number
    digest: string
    at: number | null
    key_id: string | null
    signature: string | null
  }
  audit_heads: { number: number; digest: string; at: number; key_id: string; signature: string }
}
