import { BerthError, idPrefixes } from '@berth/contract'
import type { Store } from '../store/port.ts'

/** Rejects unless bytes of this operation travel for this session: it is one of its open ones. */
export const checkTransfer = async (
  { store }: { store: Pick<Store, 'state'> },
  session: string,
  transfer: string,
): Promise<void> => {
  const state = await store.state(session)
  if (state?.operations.includes(transfer) === true) return
  throw new BerthError('blob_not_found', `${transfer} is no open operation of this session.`)
}

/** The same for what is brought in, which may be an upload of the session too. */
export const checkSource = async (
  { store }: { store: Pick<Store, 'state' | 'upload'> },
  session: string,
  transfer: string,
): Promise<void> => {
  if (!transfer.startsWith(`${idPrefixes.upload}_`)) return checkTransfer({ store }, session, transfer)
  const upload = await store.upload(transfer)
  if (upload?.session !== session)
    throw new BerthError('blob_not_found', `${transfer} is no upload of this session.`)
}
