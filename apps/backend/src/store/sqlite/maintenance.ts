import type { DatabaseSync } from 'node:sqlite'
import { BerthError, limits } from '@berth/contract'
import { placesOf } from './place.ts'
import type { Handlers } from './protocol.ts'
import { queriesOf, sql } from './query.ts'
import { bumpRevision } from './revision.ts'
import type { StateCache } from './state-cache.ts'

const idempotencyMs = limits.idempotencyHours * 3600_000

/** Compaction: the deltas of completed blocks, and the events of operations that are over, go one after another. */
const compactHandler = (database: DatabaseSync): Handlers['compact'] => {
  const query = queriesOf(database)
  const completed = query<{ now: number; limit: number }>()(({ now, limit }) =>
    sql
      .selectFrom('completed_blocks')
      .select(['session', 'block'])
      .where('due_at', '<=', now)
      .orderBy('due_at')
      .limit(limit),
  )
  const deltas = query<{ session: number; block: string; limit: number }>()(({ session, block, limit }) =>
    sql
      .deleteFrom('events')
      .where('place', 'in', (eb) =>
        eb
          .selectFrom('events')
          .select('place')
          .where('session', '=', session)
          .where('block', '=', block)
          .limit(limit),
      ),
  )
  const done = query<{ session: number; block: string }>()(({ session, block }) =>
    sql.deleteFrom('completed_blocks').where('session', '=', session).where('block', '=', block),
  )
  return ({ now, limit }) => {
    let deleted = 0
    for (const place of completed.all({ now, limit })) {
      const left = limit - deleted
      if (left <= 0) break
      const count = deltas.run({ ...place, limit: left })
      deleted += count
      if (count < left) done.run(place)
    }
    return { value: deleted }
  }
}

const expireHandler = (database: DatabaseSync): Handlers['expire'] => {
  const query = queriesOf(database)
  const records = query<{ until: number; limit: number }>()(({ until, limit }) =>
    sql
      .deleteFrom('idempotency')
      .where(({ eb, refTuple, selectFrom }) =>
        eb(
          refTuple('scope', 'key'),
          'in',
          selectFrom('idempotency')
            .select(['scope', 'key'])
            .where('created_at', '<=', until)
            .limit(limit)
            .$asTuple('scope', 'key'),
        ),
      ),
  )
  const uploads = query<{ until: number }>()(({ until }) =>
    sql.deleteFrom('uploads').where('created_at', '<=', until),
  )
  const grants = query<{ now: number }>()(({ now }) =>
    sql.deleteFrom('grants').where('expires_at', '<=', now),
  )
  const leases = query<{ now: number }>()(({ now }) =>
    sql.deleteFrom('leases').where('expires_at', '<=', now),
  )
  const forget = query<{ before: number }>()(({ before }) =>
    sql
      .updateTable('projects')
      .set(({ selectFrom }) => ({
        forgotten: selectFrom('tombstones')
          .select(({ fn }) => fn.max('revision').as('revision'))
          .where('at', '<', before)
          .whereRef('tombstones.project', '=', 'projects.name')
          .$asScalar(),
      }))
      .where('name', 'in', (eb) => eb.selectFrom('tombstones').select('project').where('at', '<', before)),
  )
  const tombstones = query<{ before: number }>()(({ before }) =>
    sql.deleteFrom('tombstones').where('at', '<', before),
  )
  return ({ now, time, before, limit }) => {
    const expired = records.run({ until: now - idempotencyMs, limit })
    uploads.run({ until: now - limits.uploadHours * 3600_000 })
    grants.run({ now })
    leases.run({ now: time })
    forget.run({ before })
    tombstones.run({ before })
    return { value: expired >= limit }
  }
}

const purgeHandler = (database: DatabaseSync, cache: StateCache): Handlers['purge'] => {
  const query = queriesOf(database)
  const bump = bumpRevision(database)
  const find = query<{ session: string }>()(({ session }) =>
    sql.selectFrom('sessions').select(['number', 'project', 'deleted', 'summary']).where('id', '=', session),
  )
  const remove = query<{ number: number }>()(({ number }) =>
    sql.deleteFrom('sessions').where('number', '=', number),
  )
  const remember = query<{ number: number }>()(({ number }) =>
    sql.insertInto('purges').values({ session: number }),
  )
  // What it used stays in what its project used.
  const forget = query<{ project: string; session: string }>()(({ project, session }) =>
    sql.deleteFrom('session_usage').where('project', '=', project).where('session', '=', session),
  )
  const blank = query<{ session: string }>()(({ session }) =>
    sql.updateTable('idempotency').set({ summary: '' }).where('session', '=', session),
  )
  const bury = query<{ project: string; revision: number; session: string; now: number }>()(
    ({ project, revision, session, now }) =>
      sql.insertInto('tombstones').values({ project, revision, session, at: now }),
  )
  return ({ session, now }) => {
    const row = find.get({ session })
    if (row === undefined) return { value: undefined }
    if (row.deleted === 0)
      throw new BerthError('session_not_deleted', `Session ${session} is not deleted, so it is not purged.`)
    const { number, project, summary } = row
    cache.delete(session)
    remove.run({ number })
    forget.run({ project, session })
    remember.run({ number })
    blank.run({ session })
    const revision = bump(project)
    bury.run({ project, revision, session, now })
    const { seq } = JSON.parse(summary)
    return { value: undefined, notice: { session, project, seq, change: { revision, removed: session } } }
  }
}

const sweepHandler = (database: DatabaseSync): Handlers['sweep'] => {
  const query = queriesOf(database)
  const next = query<object>()(() => sql.selectFrom('purges').select('session').limit(1))
  const events = query<{ above: number; below: number; limit: number }>()(({ above, below, limit }) =>
    sql
      .deleteFrom('events')
      .where('place', 'in', (eb) =>
        eb
          .selectFrom('events')
          .select('place')
          .where('place', '>', above)
          .where('place', '<', below)
          .orderBy('place')
          .limit(limit),
      ),
  )
  const blocks = query<{ session: number }>()(({ session }) =>
    sql.deleteFrom('completed_blocks').where('session', '=', session),
  )
  const done = query<{ session: number }>()(({ session }) =>
    sql.deleteFrom('purges').where('session', '=', session),
  )
  return ({ limit }) => {
    const row = next.get({})
    if (row === undefined) return { value: false }
    const { session } = row
    if (events.run({ ...placesOf(session), limit }) === limit) return { value: true }
    blocks.run({ session })
    done.run({ session })
    return { value: next.get({}) !== undefined }
  }
}

/** What keeps the database small. */
export const maintenanceHandlers = (
  database: DatabaseSync,
  cache: StateCache,
): Pick<Handlers, 'compact' | 'expire' | 'purge' | 'sweep'> => ({
  compact: compactHandler(database),
  expire: expireHandler(database),
  purge: purgeHandler(database, cache),
  sweep: sweepHandler(database),
})
