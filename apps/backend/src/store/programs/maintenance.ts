import { BerthError, limits } from '@berth/contract'
import { sql as raw } from 'kysely'
import { leaveTombstone } from '../append/hide.ts'
import type { Programs } from '../operations.ts'
import { placesOf } from '../place.ts'
import { query, sql, storeTime } from '../query.ts'
import { accessOf } from '../session-access.ts'
import { expireGroups } from './known-groups.ts'
import { projectState } from './lifecycle.ts'
import { nextRevision } from './revision.ts'
import { expireSecrets } from './secrets.ts'

const idempotencyMs = limits.idempotencyHours * 3600_000

const compaction = {
  // Several backends compact at once: each takes others.
  completed: query<{ now: number; limit: number }>()(({ now, limit }) =>
    sql
      .selectFrom('completed_blocks')
      .select(['session', 'block'])
      .where('due_at', '<=', now)
      .orderBy('due_at')
      .limit(limit)
      .forUpdate()
      .skipLocked(),
  ),
  deltas: query<{ session: number; block: string; limit: number }>()(({ session, block, limit }) =>
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
  ),
  done: query<{ session: number; block: string }>()(({ session, block }) =>
    sql.deleteFrom('completed_blocks').where('session', '=', session).where('block', '=', block),
  ),
}

const expiry = {
  records: query<{ until: number; limit: number }>()(({ until, limit }) =>
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
  ),
  uploads: query<{ until: number }>()(({ until }) =>
    sql.deleteFrom('uploads').where('created_at', '<=', until),
  ),
  grants: query<{ now: number }>()(({ now }) => sql.deleteFrom('grants').where('expires_at', '<=', now)),
  keys: query<{ until: number }>()(({ until }) =>
    sql
      .deleteFrom('keys')
      .where(({ eb, or }) => or([eb('expires_at', '<=', until), eb('revoked_at', '<=', until)])),
  ),
  // Also of keys whose project is gone.
  memberships: query<object>()(() =>
    sql
      .deleteFrom('members')
      .where('subject', 'like', 'key:%')
      .where('subject', 'not in', (eb) =>
        eb.selectFrom('keys').select('subject').where('revoked_at', 'is', null),
      ),
  ),
  browsers: query<{ now: number }>()(({ now }) =>
    sql.deleteFrom('browser_sessions').where('expires_at', '<=', now),
  ),
  leases: query<object>()(() =>
    sql.deleteFrom('leases').where('expires_at', '<=', raw<number>`${storeTime}`),
  ),
  forget: query<{ before: number }>()(({ before }) =>
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
  ),
  tombstones: query<{ before: number }>()(({ before }) =>
    sql.deleteFrom('tombstones').where('at', '<', before),
  ),
}

const purging = {
  find: query<{ session: string }>()(({ session }) =>
    sql
      .selectFrom('sessions')
      .select(['number', 'project', 'deleted', 'summary', 'owner_kind', 'owner_id', 'visibility', 'shares'])
      .where('id', '=', session)
      .forUpdate(),
  ),
  remove: query<{ number: number }>()(({ number }) =>
    sql.deleteFrom('sessions').where('number', '=', number),
  ),
  remember: query<{ number: number }>()(({ number }) => sql.insertInto('purges').values({ session: number })),
  // What it used stays in what its project used.
  forget: query<{ project: string; session: string }>()(({ project, session }) =>
    sql.deleteFrom('session_usage').where('project', '=', project).where('session', '=', session),
  ),
  unlearn: query<{ session: string }>()(({ session }) =>
    sql.deleteFrom('idempotency').where('session', '=', session),
  ),
  blank: query<{ session: string }>()(({ session }) =>
    sql.updateTable('idempotency').set({ summary: '' }).where('session', '=', session),
  ),
}

const sweeping = {
  next: query<object>()(() => sql.selectFrom('purges').select('session').limit(1)),
  events: query<{ above: number; below: number; limit: number }>()(({ above, below, limit }) =>
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
  ),
  blocks: query<{ session: number }>()(({ session }) =>
    sql.deleteFrom('completed_blocks').where('session', '=', session),
  ),
  done: query<{ session: number }>()(({ session }) =>
    sql.deleteFrom('purges').where('session', '=', session),
  ),
}

/** What keeps the database small. */
export const maintenancePrograms: Pick<Programs, 'compact' | 'expire' | 'purge' | 'sweep'> = {
  /** The deltas of completed blocks, and the events of operations that are over, go one after another. */
  *compact({ now, limit }) {
    let deleted = 0
    for (const place of yield* compaction.completed.all({ now, limit })) {
      const left = limit - deleted
      if (left <= 0) break
      const count = yield* compaction.deltas.run({ ...place, limit: left })
      deleted += count
      if (count < left) yield* compaction.done.run(place)
    }
    return { value: deleted }
  },
  *expire({ now, before, limit }) {
    const expired = yield* expiry.records.run({ until: now - idempotencyMs, limit })
    yield* expiry.uploads.run({ until: now - limits.uploadHours * 3600_000 })
    yield* expiry.grants.run({ now })
    yield* expireSecrets(now)
    yield* expiry.browsers.run({ now })
    yield* expireGroups(now)
    yield* expiry.leases.run({})
    yield* expiry.keys.run({ until: now - limits.keptKeyDays * 86_400_000 })
    yield* expiry.memberships.run({})
    yield* expiry.forget.run({ before })
    yield* expiry.tombstones.run({ before })
    return { value: expired >= limit }
  },
  *purge({ session, now }) {
    const row = yield* purging.find.get({ session })
    if (row === undefined) return { value: undefined }
    if (row.deleted === 0)
      throw new BerthError('session_not_deleted', `Session ${session} is not deleted, so it is not purged.`)
    const { number, project, summary } = row
    yield* purging.remove.run({ number })
    yield* purging.forget.run({ project, session })
    yield* purging.remember.run({ number })
    const state = yield* projectState(project)
    // A project of the same name must not answer what this one was asked.
    yield* (state === 'deleting' ? purging.unlearn : purging.blank).run({ session })
    const revision = yield* nextRevision(project)
    const seenBy = accessOf(row)
    const { audience, ...change } = yield* leaveTombstone({ seenBy }, { project, revision, session, at: now })
    const told = seenBy.visibility === 'project' ? change : { ...change, audience }
    const { seq } = JSON.parse(summary)
    return { value: undefined, notice: { session, project, seq, change: told } }
  },
  *sweep({ limit }) {
    const row = yield* sweeping.next.get({})
    if (row === undefined) return { value: false }
    const { session } = row
    if ((yield* sweeping.events.run({ ...placesOf(session), limit })) === limit) return { value: true }
    yield* sweeping.blocks.run({ session })
    yield* sweeping.done.run({ session })
    return { value: (yield* sweeping.next.get({})) !== undefined }
  },
}
