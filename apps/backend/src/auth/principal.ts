import type { Actor, Subject } from '@berth/contract'

/**
 * Who is asking. Made by an authenticator from a credential, never from a request's words. Which roles it has in projects is
 * not in it: that is asked at each request, so that a change counts at once.
 */
export interface Principal {
  actor: Actor
  /** The names under which it may be a member of projects: its own, and those of its groups. */
  subjects: readonly Subject[]
  /** May do everything in every project. */
  platformAdmin: boolean
  mayCreateProjects: boolean
  /** May read the metrics, as platform admins may. Default: false. */
  readsMetrics?: boolean
  /** How many requests it may send isn't limited: the one owner of an installation. Default: false. */
  unlimited?: boolean
  /** When its credential stops to count, in milliseconds since 1970. Default: it doesn't. */
  expiresAt?: number
}
