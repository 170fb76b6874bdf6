/** More events than a log can have. */
const logSize = 2 ** 28

/** No event has a higher `seq`. */
export const maxSeq = logSize - 1

/**
 * The key of an event: its session's number, then its `seq`. So a log lies together in the table, in order, and needs no
 * second index; unlike a key of two columns this keeps rows of a few KB within their page. Exact up to 33
 * million sessions in the life of a database.
 */
export const placeOf = (session: number, seq: number): number => {
  const place = session * logSize + seq
  if (!Number.isSafeInteger(place) || seq > maxSeq) throw new Error(`no place for event ${seq} of ${session}`)
  return place
}

/** Every place of a session's log is above the first and below the second. */
export const placesOf = (session: number) => ({ above: placeOf(session, 0), below: placeOf(session + 1, 0) })
