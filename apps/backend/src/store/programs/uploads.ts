import { BerthError, limits } from '@berth/contract'
import type { Programs } from '../operations.ts'
import { type Program, query, sql } from '../query.ts'
import type { Tables } from '../schema.ts'
import type { UploadRow } from '../upload-store.ts'

type Columns = Tables['uploads']

const selectAll = () =>
  sql
    .selectFrom('uploads')
    .innerJoin('sessions', 'sessions.number', 'uploads.session')
    .select([
      'sessions.id as session',
      ...(['uploads.id', 'uploads.path', 'uploads.size', 'uploads.about'] as const),
      ...(['uploads.stored', 'uploads.parts', 'uploads.created_at'] as const),
    ])

type Selected = Omit<Columns, 'session' | 'project'> & { session: string }

const uploadOf = ({ id, session, path, size, about, stored, parts, created_at }: Selected): UploadRow => ({
  ...JSON.parse(about),
  upload: id,
  session,
  path,
  size,
  offset: stored,
  parts: JSON.parse(parts),
  createdAt: created_at,
})

const sum = sql
  .selectFrom('uploads')
  .select(({ fn }) => [fn.countAll<number>().as('count'), fn.sum<number | null>('size').as('bytes')])

const queries = {
  session: query<{ session: string }>()(({ session }) =>
    sql.selectFrom('sessions').select(['number', 'project']).where('id', '=', session),
  ),
  ofSession: query<{ session: number }>()(({ session }) => sum.where('session', '=', session)),
  ofProject: query<{ project: string }>()(({ project }) => sum.where('project', '=', project)),
  create: query<Columns>()(({ id, session, project, path, size, about, stored, parts, created_at }) =>
    sql.insertInto('uploads').values({ id, session, project, path, size, about, stored, parts, created_at }),
  ),
  extend: query<{ id: string; from: number; to: number; parts: string }>()(({ id, from, to, parts }) =>
    sql.updateTable('uploads').set({ stored: to, parts }).where('id', '=', id).where('stored', '=', from),
  ),
  remove: query<{ id: string }>()(({ id }) => sql.deleteFrom('uploads').where('id', '=', id)),
  // Locked, so that two that begin at once are counted one after the other.
  lock: query<{ project: string }>()(({ project }) =>
    sql.selectFrom('projects').select('name').where('name', '=', project).forNoKeyUpdate(),
  ),
  upload: query<{ id: string }>()(({ id }) => selectAll().where('uploads.id', '=', id)),
  uploads: query<{ session: string }>()(({ session }) =>
    selectAll().where('sessions.id', '=', session).orderBy('uploads.created_at').orderBy('uploads.id'),
  ),
}

/** What changes uploads. */
export const uploadPrograms: Pick<Programs, 'createUpload' | 'extendUpload' | 'removeUpload'> = {
  *createUpload({ upload: id, session, path, size, createdAt, ...about }) {
    const row = yield* queries.session.get({ session })
    if (row === undefined) throw new BerthError('session_not_found', `There is no session ${session}.`)
    const { number, project } = row
    yield* queries.lock.get({ project })
    const own = yield* queries.ofSession.get({ session: number })
    const all = yield* queries.ofProject.get({ project })
    if ((own?.count ?? 0) >= limits.openUploads)
      throw tooMany(`${limits.openUploads} uploads of this session are not finished`)
    if ((all?.count ?? 0) >= limits.projectUploads)
      throw tooMany(`${limits.projectUploads} uploads of this project are not finished`)
    if ((all?.bytes ?? 0) + size > limits.projectUploadBytes)
      throw tooMany(
        `Uploads that are not finished may have ${limits.projectUploadBytes} bytes together in a project`,
      )
    const fixed = { id, session: number, project, path, size, created_at: createdAt }
    yield* queries.create.run({ ...fixed, about: JSON.stringify(about), stored: 0, parts: '[]' })
    return { value: undefined }
  },
  *extendUpload({ upload: id, from, to, parts }) {
    if ((yield* queries.extend.run({ id, from, to, parts: JSON.stringify(parts) })) === 0)
      throw new BerthError('upload_mismatch', `The upload does not stand at ${from}. Ask how far it is.`)
    return { value: undefined }
  },
  *removeUpload({ upload: id }) {
    yield* queries.remove.run({ id })
    return { value: undefined }
  },
}

const tooMany = (what: string) =>
  new BerthError('too_many_uploads', `${what}. Finish some of them, or give them up.`)

export function* upload(id: string): Program<UploadRow | undefined> {
  const row = yield* queries.upload.get({ id })
  return row && uploadOf(row)
}

export function* uploads(session: string): Program<UploadRow[]> {
  return (yield* queries.uploads.all({ session })).map(uploadOf)
}
