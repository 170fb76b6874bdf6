import { BerthError } from '@berth/contract'

export const keyMismatch = (key: string) =>
  new BerthError(
    'idempotency_mismatch',
    `The key ${key} was used for another request. Use a new key for a new request.`,
  )
