import { lineOf } from '../append/consequences.ts'
import { maxSeq, placeOf, placesOf } from '../place.ts'
import type { Line, Store } from '../port.ts'
import { type Program, query, sql } from '../query.ts'

const numberOf = (session: string) => sql.selectFrom('sessions').select('number').where('id', '=', session)

const lastOfType = (session: string, type: string) =>
  sql
    .selectFrom('events')
    .select(['seq', 'json'])
    .where('session', '=', numberOf(session))
    .where('block', 'is', null)
    .where('type', '=', type)
    .orderBy('place', 'desc')
    .limit(1)

const queries = {
  number: query<{ session: string }>()(({ session }) => numberOf(session)),
  events: query<{ after: number; below: number; limit: number }>()(({ after, below, limit }) =>
    sql
      .selectFrom('events')
      .select(['seq', 'json'])
      .where('place', '>', after)
      .where('place', '<', below)
      .orderBy('place')
      .limit(limit),
  ),
  ofType: query<{ session: number; type: string; below: number; limit: number }>()(
    ({ session, type, below, limit }) =>
      sql
        .selectFrom('events')
        .select(['seq', 'json'])
        .where('session', '=', session)
        .where('block', 'is', null)
        .where('type', '=', type)
        .where('place', '<', below)
        .orderBy('place', 'desc')
        .limit(limit),
  ),
  lastOfType: query<{ session: string; type: string }>()(({ session, type }) => lastOfType(session, type)),
  lastOfTurn: query<{ session: string; type: string; turn: string }>()(({ session, type, turn }) =>
    lastOfType(session, type).where('turn', '=', turn),
  ),
}

/**
 * Reads events up to a number and about so many bytes. A database that can't stop in the middle of a result is asked for
 * `fetched` rows at a time, because nobody knows how large they are.
 */
export function* events(
  session: string,
  { after, limit, maxBytes }: Parameters<Store['events']>[1],
  fetched: number,
): Program<Line[]> {
  const number = (yield* queries.number.get({ session }))?.number
  if (number === undefined) return []
  const { below } = placesOf(number)
  let lines: Line[] = []
  let bytes = 0
  let full = false
  const enough = ({ json }: Line) => {
    bytes += json.length
    full = bytes > maxBytes && bytes > json.length
    return full
  }
  while (!full && lines.length < limit) {
    const wanted = Math.min(limit - lines.length, fetched)
    const from = placeOf(number, lines.at(-1)?.seq ?? Math.min(after, maxSeq))
    const rows = yield* queries.events.some({ after: from, below, limit: wanted }, enough)
    lines = lines.length === 0 ? rows : [...lines, ...rows]
    if (rows.length < wanted) break
  }
  return lines.map(lineOf)
}

export function* lastEvent(
  session: string,
  { type, turn }: { type: string; turn?: string },
): Program<Line | undefined> {
  if (turn === undefined) return yield* queries.lastOfType.get({ session, type })
  return yield* queries.lastOfTurn.get({ session, type, turn })
}

export function* eventsOfType(
  session: string,
  { type, below = maxSeq, limit }: Parameters<Store['eventsOfType']>[1],
): Program<Line[]> {
  const row = yield* queries.number.get({ session })
  if (row === undefined) return []
  const place = placeOf(row.number, Math.max(0, Math.min(Math.trunc(below), maxSeq)))
  return yield* queries.ofType.all({ session: row.number, type, below: place, limit })
}
