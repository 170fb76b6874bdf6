import type { DatabaseSync } from 'node:sqlite'
import { BerthError, limits } from '@berth/contract'
import type { Tables } from '../schema.ts'
import type { UploadRow } from '../upload-store.ts'
import type { Handlers } from './protocol.ts'
import { queriesOf, sql } from './query.ts'

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

export const selectUpload = ({ id }: { id: string }) => selectAll().where('uploads.id', '=', id)

export const selectUploads = ({ session }: { session: string }) =>
  selectAll().where('sessions.id', '=', session).orderBy('uploads.created_at').orderBy('uploads.id')

type Selected = Omit<Columns, 'session' | 'project'> & { session: string }

export const uploadOf = ({
  id,
  session,
  path,
  size,
  about,
  stored,
  parts,
  created_at,
}: Selected): UploadRow => ({
  ...JSON.parse(about),
  upload: id,
  session,
  path,
  size,
  offset: stored,
  parts: JSON.parse(parts),
  createdAt: created_at,
})

const uploadQueries = (database: DatabaseSync) => {
  const query = queriesOf(database)
  const sum = sql
    .selectFrom('uploads')
    .select(({ fn }) => [fn.countAll<number>().as('count'), fn.sum<number | null>('size').as('bytes')])
  return {
    session: query<{ session: string }>()(({ session }) =>
      sql.selectFrom('sessions').select(['number', 'project']).where('id', '=', session),
    ),
    ofSession: query<{ session: number }>()(({ session }) => sum.where('session', '=', session)),
    ofProject: query<{ project: string }>()(({ project }) => sum.where('project', '=', project)),
    create: query<Columns>()(({ id, session, project, path, size, about, stored, parts, created_at }) =>
      sql
        .insertInto('uploads')
        .values({ id, session, project, path, size, about, stored, parts, created_at }),
    ),
    extend: query<{ id: string; from: number; to: number; parts: string }>()(({ id, from, to, parts }) =>
      sql.updateTable('uploads').set({ stored: to, parts }).where('id', '=', id).where('stored', '=', from),
    ),
    remove: query<{ id: string }>()(({ id }) => sql.deleteFrom('uploads').where('id', '=', id)),
  }
}

/** What changes uploads. */
export const uploadHandlers = (
  database: DatabaseSync,
): Pick<Handlers, 'createUpload' | 'extendUpload' | 'removeUpload'> => {
  const queries = uploadQueries(database)
  return {
    createUpload: ({ upload: id, session, path, size, createdAt, ...about }) => {
      const row = queries.session.get({ session })
      if (row === undefined) throw new BerthError('session_not_found', `There is no session ${session}.`)
      const { number, project } = row
      const own = queries.ofSession.get({ session: number })
      const all = queries.ofProject.get({ project })
      if ((own?.count ?? 0) >= limits.openUploads)
        throw tooMany(`${limits.openUploads} uploads of this session are not finished`)
      if ((all?.count ?? 0) >= limits.projectUploads)
        throw tooMany(`${limits.projectUploads} uploads of this project are not finished`)
      if ((all?.bytes ?? 0) + size > limits.projectUploadBytes)
        throw tooMany(
          `Uploads that are not finished may have ${limits.projectUploadBytes} bytes together in a project`,
        )
      const fixed = { id, session: number, project, path, size, created_at: createdAt }
      queries.create.run({ ...fixed, about: JSON.stringify(about), stored: 0, parts: '[]' })
      return { value: undefined }
    },
    extendUpload: ({ upload: id, from, to, parts }) => {
      if (queries.extend.run({ id, from, to, parts: JSON.stringify(parts) }) === 0)
        throw new BerthError('upload_mismatch', `The upload does not stand at ${from}. Ask how far it is.`)
      return { value: undefined }
    },
    removeUpload: ({ upload: id }) => {
      queries.remove.run({ id })
      return { value: undefined }
    },
  }
}

const tooMany = (what: string) =>
  new BerthError('too_many_uploads', `${what}. Finish some of them, or give them up.`)
