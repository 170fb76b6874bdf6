import { BerthError, type LogSource, limits, type StoredLogLine } from '@berth/contract'
import { sql as raw, type Selectable } from 'kysely'
import type { Programs } from '../operations.ts'
import type { Store } from '../port.ts'
import { type Program, query, rowsOf, sql } from '../query.ts'
import type { Tables } from '../schema.ts'

type Row = Selectable<Tables['logs']>

const queries = {
  find: query<{ session: string }>()(({ session }) =>
    sql.selectFrom('sessions').select('number').where('id', '=', session),
  ),
  // Locked, so that lines of one session are numbered one batch after the other.
  live: query<{ number: number; generation: number }>()(({ number, generation }) =>
    sql
      .selectFrom('generations')
      .select('live')
      .where('session', '=', number)
      .where('generation', '=', generation)
      .forNoKeyUpdate(),
  ),
  last: query<{ number: number }>()(({ number }) =>
    sql.selectFrom('logs').select('n').where('session', '=', number).orderBy('n', 'desc').limit(1),
  ),
  insert: query<Row>()(({ session, n, generation, source, level, at, text }) =>
    sql.insertInto('logs').values({ session, n, generation, source, level, at, text }),
  ),
  tooOld: query<{ number: number; source: LogSource }>()(({ number, source }) => {
    const ages = sql
      .selectFrom('logs')
      .where('session', '=', number)
      .where('source', '=', source)
      .select([
        'n',
        raw<number>`row_number() OVER (ORDER BY n DESC)`.as('count'),
        raw<number>`sum(octet_length(text)) OVER (ORDER BY n DESC)`.as('bytes'),
      ])
    return sql
      .selectFrom(ages.as('ages'))
      .select(({ fn }) => fn.max('n').as('n'))
      .where(({ or, eb }) => or([eb('count', '>', limits.logLines), eb('bytes', '>', limits.logBytes)]))
  }),
  remove: query<{ number: number; source: LogSource; n: number }>()(({ number, source, n }) =>
    sql.deleteFrom('logs').where('session', '=', number).where('source', '=', source).where('n', '<=', n),
  ),
}

/** Keeps lines of a live generation, and takes away what is too much. */
export const logPrograms: Pick<Programs, 'addLogs'> = {
  *addLogs({ session, generation, lines }) {
    const number = (yield* queries.find.get({ session }))?.number
    if (number === undefined) throw new BerthError('session_not_found', `There is no session ${session}.`)
    if ((yield* queries.live.get({ number, generation }))?.live !== 1)
      throw new BerthError('fenced', `Generation ${generation} of session ${session} is over.`)
    let n = (yield* queries.last.get({ number }))?.n ?? 0
    for (const { at, source, level = null, text } of lines) {
      const fixed = { session: number, generation, source, level, text }
      yield* queries.insert.run({ ...fixed, n: ++n, at: Date.parse(at) })
    }
    for (const source of new Set(lines.map((line) => line.source))) {
      const until = (yield* queries.tooOld.get({ number, source }))?.n
      if (until != null) yield* queries.remove.run({ number, source, n: until })
    }
    return { value: undefined }
  },
}

const selectLines = (session: string, { source, after, limit }: Parameters<Store['logs']>[1]) => {
  const lines = sql
    .selectFrom('logs')
    .select(['n', 'generation', 'source', 'level', 'at', 'text'])
    .where('session', '=', sql.selectFrom('sessions').select('number').where('id', '=', session))
    .limit(limit)
  const ofSource = source === undefined ? lines : lines.where('source', '=', source)
  return after === undefined ? ofSource.orderBy('n', 'desc') : ofSource.where('n', '>', after).orderBy('n')
}

const lineOf = ({ level, at, ...rest }: Omit<Row, 'session'>): StoredLogLine => ({
  ...rest,
  ...(level == null ? {} : { level }),
  at: new Date(at).toISOString(),
})

export function* logs(session: string, range: Parameters<Store['logs']>[1]): Program<StoredLogLine[]> {
  const rows = yield* rowsOf(selectLines(session, range))
  return (range.after === undefined ? rows.reverse() : rows).map(lineOf)
}
