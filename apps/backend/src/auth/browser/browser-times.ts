const minute = 60_000
const hour = 60 * minute

/** How long browsers stay signed in, in milliseconds. */
export const browserTimes = {
  /** One that is not used for so long has to sign in again. */
  idle: 12 * hour,
  /** However much it is used. */
  absolute: 7 * 24 * hour,
  /** The same where the issuer gave nothing by which to ask it again. */
  withoutRefresh: hour,
  /** How often the issuer is asked again: so long may a group that was taken away still count. */
  refresh: 3 * minute,
  /** After an issuer that did not answer. */
  retry: minute,
  /** For so long one backend has a session to itself while it asks. */
  claim: 2 * minute,
  /** Between two notes that a session is used. */
  touch: minute,
  /** From the way to the issuer until the way back. */
  signIn: 10 * minute,
} as const
