import type { Actor, SecretKind } from '@berth/contract'

/** A secret of a project without its value. Times are milliseconds since 1970. */
export interface SecretRow {
  name: string
  kind: SecretKind
  /** Of `environment`: the variable that holds it. */
  variable?: string
  note: string
  version: number
  fingerprint: string
  createdAt: number
  setAt: number
  setBy: Actor
  usedAt?: number
  usedFor?: string
  /** The key with which the current value is sealed. */
  keyId: string
}

/** A value of a secret as it is kept: the current one, or a former one that must still be hidden where it is shown. */
export interface SealedSecret {
  project: string
  name: string
  version: number
  sealed: string
}

/** Sealed secrets of projects; part of the store's port. */
export interface SecretStore {
  /**
   * Sets a secret, or a new value of it; the one before becomes a former one. Rejects with `project_not_found`, and with
   * `too_many_secrets` when the project has as many secrets, or as many bytes of them, as it may.
   */
  putSecret(secret: {
    project: string
    name: string
    kind: SecretKind
    variable?: string
    note: string
    fingerprint: string
    setBy: Actor
    /** The value as the cipher gave it, with its key, and its length in bytes before. */
    sealed: string
    keyId: string
    bytes: number
    now: number
  }): Promise<SecretRow>
  /** Its value becomes a former one. Rejects with `secret_not_found`. */
  deleteSecret(secret: { project: string; name: string; now: number }): Promise<void>
  /** By name. */
  secrets(project: string): Promise<SecretRow[]>
  /** The current value. */
  sealedSecret(project: string, name: string): Promise<(SealedSecret & { kind: SecretKind }) | undefined>
  /** Changes with every change of the project's values, and never comes back; 0: it never had any. */
  secretStamp(project: string): Promise<number>
  /** All values of the project, also former ones, and the stamp that they belong to. */
  knownSecrets(project: string): Promise<{ stamp: number; items: SealedSecret[] }>
  /** Notes a use, unless one was noted since `since`; true: it was noted. Nothing happens for an unknown secret. */
  secretUsed(use: {
    project: string
    name: string
    usedFor: string
    now: number
    since: number
  }): Promise<boolean>

  /** How many values are sealed with each key. */
  sealedBy(): Promise<Map<string, number>>
  /** Values that are sealed with this key, at most `limit`. */
  secretsSealedBy(keyId: string, limit: number): Promise<SealedSecret[]>
  /** Stores values as they were sealed anew; one that was changed meanwhile stays as it is. How many were stored. */
  resealSecrets(items: (SealedSecret & { resealed: string; keyId: string })[]): Promise<number>
  /**
   * Notes the check values of keys by id, and says which were known before. Those that are known stay. With `shared` nothing
   * is noted when there are known ones and none of these is among them.
   */
  claimKeys(claim: { checks: Record<string, string>; shared: boolean }): Promise<Record<string, string>>
}
