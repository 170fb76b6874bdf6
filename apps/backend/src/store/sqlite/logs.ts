import type { DatabaseSync } from 'node:sqlite'
import { BerthError, type LogSource, limits, type StoredLogLine } from '@berth/contract'
import { sql as raw, type Selectable } from 'kysely'
import type { Store } from '../port.ts'
import type { Tables } from '../schema.ts'
import type { Handlers } from './protocol.ts'
import { queriesOf, sql } from './query.ts'

type Row = Selectable<Tables['logs']>

/** Keeps lines of a live generation, and takes away what is too much. */
export const logHandlers = (database: DatabaseSync): Pick<Handlers, 'addLogs'> => {
  const query = queriesOf(database)
  const find = query<{ session: string }>()(({ session }) =>
    sql.selectFrom('sessions').select('number').where('id', '=', session),
  )
  const live = query<{ number: number; generation: number }>()(({ number, generation }) =>
    sql
      .selectFrom('generations')
      .select('live')
      .where('session', '=', number)
      .where('generation', '=', generation),
  )
  const last = query<{ number: number }>()(({ number }) =>
    sql.selectFrom('logs').select('n').where('session', '=', number).orderBy('n', 'desc').limit(1),
  )
  const insert = query<Row>()((row) => sql.insertInto('logs').values({ ...columns(row) }))
  const tooOld = query<{ number: number; source: LogSource }>()(({ number, source }) => {
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
  })
  const remove = query<{ number: number; source: LogSource; n: number }>()(({ number, source, n }) =>
    sql.deleteFrom('logs').where('session', '=', number).where('source', '=', source).where('n', '<=', n),
  )
  return {
    addLogs: ({ session, generation, lines }) => {
      const number = find.get({ session })?.number
      if (number === undefined) throw new BerthError('session_not_found', `There is no session ${session}.`)
      if (live.get({ number, generation })?.live !== 1)
        throw new BerthError('fenced', `Generation ${generation} of session ${session} is over.`)
      let n = last.get({ number })?.n ?? 0
      for (const { at, source, level, text } of lines)
        insert.run({
          session: number,
          n: ++n,
          generation,
          source,
          level: level ?? null,
          at: Date.parse(at),
          text,
        })
      for (const source of new Set(lines.map((line) => line.source))) {
        const until = tooOld.get({ number, source })?.n
        if (until != null) remove.run({ number, source, n: until })
      }
      return { value: undefined }
    },
  }
}

/** Placeholders can't be spread: each column is named. */
const columns = ({ session, n, generation, source, level, at, text }: Row): Row => ({
  ...{ session, n, generation, source, level, at, text },
})

export const logQuery = (session: string, { source, after, limit }: Parameters<Store['logs']>[1]) => {
  const lines = sql
    .selectFrom('logs')
    .select(['n', 'generation', 'source', 'level', 'at', 'text'])
    .where('session', '=', sql.selectFrom('sessions').select('number').where('id', '=', session))
    .limit(limit)
  const ofSource = source === undefined ? lines : lines.where('source', '=', source)
  const inOrder =
    after === undefined ? ofSource.orderBy('n', 'desc') : ofSource.where('n', '>', after).orderBy('n')
  return inOrder.compile()
}

export const logLineOf = ({ level, at, ...rest }: Omit<Row, 'session'>): StoredLogLine => ({
  ...rest,
  ...(level == null ? {} : { level }),
  at: new Date(at).toISOString(),
})
