import { BerthError, type SessionState } from '@berth/contract'

/** Refuses a change that was made to another version of the session than the one of now. */
export const checkVersion = ({ summary: { version } }: SessionState, expected: number): void => {
  if (version !== expected)
    throw new BerthError(
      'version_mismatch',
      `The session is at version ${version}, not ${expected}. Read it again, then repeat your change.`,
    )
}
