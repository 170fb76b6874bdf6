import { BerthError, isBerthError } from '@berth/contract'

/** SQLSTATE of an error that the server sent. */
const stateOf = (error: unknown): string => {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : ''
}

/** Classes and states after which the server can't serve us now: connection, resources, shutdown, time-outs. */
const away = /^(08...|53[^1]..|57P0[1-5]|57014|55P03|25P03|58030)$/
const network =
  /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ENOENT|ECANCELED)$/
/** What node-postgres says without a code. */
const driver =
  /Connection terminated|connection timeout|timeout exceeded|Query read timeout|Client has encountered a connection error|not queryable/i

/** The database can't be reached, or doesn't answer in time. */
export const isAway = (error: unknown): boolean => {
  const state = stateOf(error)
  if (away.test(state) || network.test(state)) return true
  return error instanceof Error && !isBerthError(error) && driver.test(error.message)
}

/** The transaction lost against another and may win when it runs again: serialization, deadlock, a key that came first. */
export const isConflict = (error: unknown): boolean =>
  ['40001', '40P01', '23505', '23503'].includes(stateOf(error))

/** An error as callers of the store get it. What the driver says stays in the cause: it may name hosts and users. */
export const toStoreError = (error: unknown): Error => {
  if (isBerthError(error)) return error
  if (stateOf(error) === '53100')
    return caused(
      new BerthError(
        'storage_full',
        'The disk of the database is full, so nothing was stored. Free some space, then repeat the request.',
      ),
      error,
    )
  if (isAway(error))
    return caused(
      new BerthError(
        'unavailable',
        'The database does not answer. Repeat the request in a moment; with the same Idempotency-Key nothing is done twice.',
      ),
      error,
    )
  return error instanceof Error ? error : new Error(String(error))
}

const caused = (error: BerthError, cause: unknown): BerthError => Object.assign(error, { cause })
