import type { Actor } from '@berth/contract'

/** Who uses a secret, and what for. */
export interface SecretUse {
  project: string
  name: string
  /** What for, e.g. `model gateway`, `git github.com`. */
  use: string
  session?: string
  actor: Actor
}

/** A value that must not be shown in its project, under the name of its secret. */
export interface KnownSecret {
  name: string
  version: number
  value: string
}

/** What must not be shown in a project. Plain data: it crosses threads. */
export interface KnownSecrets {
  project: string
  /** Another one stands for other values. */
  stamp: number
  items: readonly KnownSecret[]
}

/** A secret that the agent can read. */
export interface AgentSecretValue {
  name: string
  value: string
}

/** The values of projects' secrets, for those parts of the backend that use them. Every backend sees a change at once. */
export interface Secrets {
  /**
   * The current value. Rejects with `secret_not_found`, or `secret_unusable` (its key is gone). Each use is an audit entry
   * `secret.used` (one per secret, use and hour).
   */
  value(use: SecretUse): Promise<string>
  /** The text with each `${secret:NAME}` replaced. Rejects as `value`. */
  fill(text: string, use: Omit<SecretUse, 'name'>): Promise<string>
  /** The exact values that must not be shown in this project: all of its secrets, also former values kept for grace. */
  known(project: string): Promise<readonly string[]>
  /** The same with the names that stand for them; undefined: there are none. `stamp`: that of the store, when it is known. */
  hidden(project: string, stamp?: number): Promise<KnownSecrets | undefined>
  /** Texts that are told in a project, such as those of an error, without its values. */
  hide(project: string, texts: readonly string[]): Promise<string[]>
  /** The variables that the agent of a session of this project is given, with the secrets that they hold. Rejects with `secret_unusable`. */
  environment(use: Omit<SecretUse, 'name' | 'use'>): Promise<Record<string, AgentSecretValue>>
}
