import { BerthError, limits } from '@berth/contract'
import type { KeyCredential, KeyRow } from '../key-store.ts'
import type { Programs } from '../operations.ts'
import { type Program, query, sql } from '../query.ts'
import type { Tables } from '../schema.ts'
import { addMember, lockProject, removeEverywhere } from './members.ts'

type Columns = Tables['keys']

/** A use is noted at most once in this time. */
const useMs = 60_000

/** Keys with their role in their own project. */
const selectKeys = () =>
  sql
    .selectFrom('keys')
    .leftJoin('members', (join) =>
      join.onRef('members.project', '=', 'keys.project').onRef('members.subject', '=', 'keys.subject'),
    )
    .selectAll('keys')
    .select('members.role as role')

type Row = Columns & { role: KeyRow['role'] | null }

const keyOf = (row: Row): KeyRow => ({
  id: row.id,
  project: row.project,
  name: row.name,
  role: row.role ?? undefined,
  createdBy: JSON.parse(row.created_by),
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  rotatedAt: row.rotated_at ?? undefined,
  graceUntil: row.grace_until ?? undefined,
  lastUsedAt: row.last_used_at ?? undefined,
  lastUsedAddress: row.last_address ?? undefined,
  revokedAt: row.revoked_at ?? undefined,
})

type New = Pick<
  Columns,
  'id' | 'subject' | 'project' | 'name' | 'hash' | 'created_by' | 'creator' | 'created_at' | 'expires_at'
>

const queries = {
  create: query<New>()(({ id, subject, project, name, hash, created_by, creator, created_at, expires_at }) =>
    sql
      .insertInto('keys')
      .values({ id, subject, project, name, hash, created_by, creator, created_at, expires_at }),
  ),
  count: query<{ project: string; now: number }>()(({ project, now }) =>
    sql
      .selectFrom('keys')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where('project', '=', project)
      .where('revoked_at', 'is', null)
      .where('expires_at', '>', now),
  ),
  ofProject: query<{ project: string }>()(({ project }) =>
    selectKeys().where('keys.project', '=', project).orderBy('keys.id', 'desc'),
  ),
  key: query<{ project: string; id: string }>()(({ project, id }) =>
    selectKeys().where('keys.project', '=', project).where('keys.id', '=', id),
  ),
  credential: query<{ id: string }>()(({ id }) =>
    sql
      .selectFrom('keys')
      .select(['id', 'project', 'name', 'hash', 'previous_hash'])
      .select(['grace_until', 'expires_at', 'last_used_at'])
      .where('id', '=', id)
      .where('revoked_at', 'is', null),
  ),
  rotate: query<{
    project: string
    id: string
    hash: string
    now: number
    graceUntil: number
    expiresAt: number
  }>()(({ project, id, hash, now, graceUntil, expiresAt }) =>
    sql
      .updateTable('keys')
      .set(({ ref }) => ({
        previous_hash: ref('hash'),
        hash,
        rotated_at: now,
        grace_until: graceUntil,
        expires_at: expiresAt,
      }))
      .where('project', '=', project)
      .where('id', '=', id)
      .where('revoked_at', 'is', null),
  ),
  revoke: query<{ project: string; id: string; now: number }>()(({ project, id, now }) =>
    sql
      .updateTable('keys')
      .set({ revoked_at: now, hash: '', previous_hash: null, grace_until: null })
      .where('project', '=', project)
      .where('id', '=', id)
      .where('revoked_at', 'is', null),
  ),
  touch: query<{ id: string; now: number; address: string | null; before: number }>()(
    ({ id, now, address, before }) =>
      sql
        .updateTable('keys')
        .set({ last_used_at: now, last_address: address })
        .where('id', '=', id)
        .where(({ eb, or }) => or([eb('last_used_at', 'is', null), eb('last_used_at', '<=', before)])),
  ),
}

const keyNotFound = (id: string) =>
  new BerthError('key_not_found', `There is no key ${id} in this project, or it is revoked.`)

/** What changes API keys. */
export const keyPrograms: Pick<Programs, 'createKey' | 'rotateKey' | 'revokeKey' | 'touchKey'> = {
  *createKey({ id, project, name, role, hash, createdBy, now, expiresAt }) {
    yield* lockProject(project)
    const { count = 0 } = (yield* queries.count.get({ project, now })) ?? {}
    if (count >= limits.keys)
      throw new BerthError(
        'too_many_keys',
        `The project ${project} has ${count} keys that count. Revoke some of them.`,
      )
    const created_by = JSON.stringify(createdBy)
    const creator = `${createdBy.kind}:${createdBy.id}`
    const times = { created_at: now, expires_at: expiresAt }
    yield* queries.create.run({
      id,
      subject: `key:${id}`,
      project,
      name,
      hash,
      created_by,
      creator,
      ...times,
    })
    yield* addMember({ project, kind: 'key', id, role, name, addedAt: now, addedBy: createdBy })
    return { value: yield* find(project, id) }
  },
  *rotateKey({ project, id, ...change }) {
    if ((yield* queries.rotate.run({ project, id, ...change })) === 0) throw keyNotFound(id)
    return { value: yield* find(project, id) }
  },
  *revokeKey({ project, id, now }) {
    if (!(yield* revoke({ project, id, now }))) throw keyNotFound(id)
    return { value: undefined }
  },
  *touchKey({ id, now, address = null }) {
    yield* queries.touch.run({ id, now, address, before: now - useMs })
    return { value: undefined }
  },
}

/** False: there is none, or it was revoked before. */
export function* revoke(key: { project: string; id: string; now: number }): Program<boolean> {
  const revoked = (yield* queries.revoke.run(key)) > 0
  if (revoked) yield* removeEverywhere({ kind: 'key', id: key.id })
  return revoked
}

function* find(project: string, id: string): Program<KeyRow> {
  const row = yield* queries.key.get({ project, id })
  if (row === undefined) throw keyNotFound(id)
  return keyOf(row)
}

export function* keys(project: string): Program<KeyRow[]> {
  return (yield* queries.ofProject.all({ project })).map(keyOf)
}

export function* keyCredential(id: string): Program<KeyCredential | undefined> {
  const row = yield* queries.credential.get({ id })
  return (
    row && {
      id: row.id,
      project: row.project,
      name: row.name,
      hash: row.hash,
      previousHash: row.previous_hash ?? undefined,
      graceUntil: row.grace_until ?? undefined,
      expiresAt: row.expires_at,
      lastUsedAt: row.last_used_at ?? undefined,
    }
  )
}
