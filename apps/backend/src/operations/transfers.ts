import { BerthError } from '@berth/contract'
import type { Store } from '../store/port.ts'

/** Rejects unless bytes of this operation travel for this session: it is one of its open ones. */
export const checkTransfer = async (
  { store }: { store: Pick<Store, 'state'> },
  session: string,
  transfer: string,
): Promise<void> => {
  const state = await store.state(session)
  if (state?.operations.includes(transfer) !== true)
    throw new BerthError('blob_not_found', `${transfer} is no open operation of this session.`)
}
