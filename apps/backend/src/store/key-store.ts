import type { Actor, MemberKind, ProjectRole, Subject } from '@berth/contract'

/** An API key as its project's admins see it. Times are milliseconds since 1970. */
export interface KeyRow {
  id: string
  project: string
  name: string
  /** Its role in the project; undefined: it is revoked, or was removed from the members. */
  role: ProjectRole | undefined
  createdBy: Actor
  createdAt: number
  expiresAt: number
  rotatedAt: number | undefined
  /** Until then the secret before the last rotation counts too. */
  graceUntil: number | undefined
  lastUsedAt: number | undefined
  lastUsedAddress: string | undefined
  revokedAt: number | undefined
}

/** What a key's secret is compared with. */
export interface KeyCredential {
  id: string
  project: string
  name: string
  /** SHA-256 of the secret, in hex. */
  hash: string
  previousHash: string | undefined
  graceUntil: number | undefined
  expiresAt: number
  lastUsedAt: number | undefined
}

export interface NewKey {
  id: string
  project: string
  name: string
  role: ProjectRole
  hash: string
  createdBy: Actor
  now: number
  expiresAt: number
}

export interface KeyRotation {
  hash: string
  now: number
  graceUntil: number
  expiresAt: number
}

/** What was taken from somebody. */
export interface Revoked {
  memberships: { project: string; role: ProjectRole }[]
  keys: { project: string; id: string; name: string }[]
  /** Browser sessions and login links. */
  sessions: number
  /** Projects whose last admin this was. */
  withoutAdmin: string[]
}

/** API keys, and what is refused though its credential would still count; part of the store's port. */
export interface KeyStore {
  /**
   * Makes a key and its membership in its project. Rejects with `project_not_found`, with `too_many_keys` when the project has
   * `limits.keys` that still count, and with `too_many_members`.
   */
  createKey(key: NewKey): Promise<KeyRow>
  /** The newest first, those that were revoked or expired too, until `expire` removes them. */
  keys(project: string): Promise<KeyRow[]>
  /** Undefined: there is none, or it is revoked. Read at each request with a key: nobody keeps a copy. */
  keyCredential(id: string): Promise<KeyCredential | undefined>
  /** The secret before counts until `graceUntil`, and the one before that no more. Rejects with `key_not_found`. */
  rotateKey(project: string, id: string, rotation: KeyRotation): Promise<KeyRow>
  /** Ends it, and its memberships in every project. Rejects with `key_not_found`, also when it was revoked before. */
  revokeKey(project: string, id: string, now: number): Promise<void>
  /** Notes a use; does nothing when one was noted less than a minute ago. */
  touchKey(id: string, use: { now: number; address: string | undefined }): Promise<void>

  /** Tokens and browser sessions of this subject that are older count no more. Undefined: nothing was ever revoked. */
  revokedBefore(subject: Subject): Promise<number | undefined>
  /**
   * Takes every membership from a subject, ends its browser sessions and login links, and notes that tokens of before `now` count
   * no more; a key is revoked; with `keys` also the keys that it made. The last admin is not spared.
   */
  revokeSubject(revocation: { subject: Subject; keys: boolean; now: number }): Promise<Revoked>
}

/** A subject as tables have it; no kind has a colon. */
export const subjectKey = ({ kind, id }: { kind: MemberKind | Actor['kind']; id: string }): string =>
  `${kind}:${id}`
