import { BerthError, type Subject } from '@berth/contract'
import type { Store } from '../store/port.ts'

/** Rejects a token that is older than the time when everything was taken from its subject. Times are milliseconds since 1970. */
export const refuseRevoked = async (
  store: Pick<Store, 'revokedBefore'>,
  subject: Subject,
  issuedAt: number,
): Promise<void> => {
  const at = await store.revokedBefore(subject)
  if (at !== undefined && issuedAt <= at)
    throw new BerthError(
      'unauthenticated',
      'An admin has taken back all access that you had until then, this token with it. Sign in again.',
    )
}
