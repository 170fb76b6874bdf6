import { BerthError, limits, type SecretKind } from '@berth/contract'
import type { Programs } from '../operations.ts'
import { type Program, query, sql } from '../query.ts'
import type { Tables } from '../schema.ts'
import type { SealedSecret, SecretRow } from '../secret-store.ts'
import { projectNotFound } from './revision.ts'

type Columns = Tables['secrets']
type Version = Tables['secret_versions']
type Name = { project: string; name: string }

const selectSecrets = () =>
  sql
    .selectFrom('secrets')
    .innerJoin('secret_versions as current', (join) =>
      join
        .onRef('current.project', '=', 'secrets.project')
        .onRef('current.name', '=', 'secrets.name')
        .onRef('current.version', '=', 'secrets.version'),
    )

const selectRows = () =>
  selectSecrets()
    .selectAll('secrets')
    .select(['current.fingerprint', 'current.key_id', 'current.set_at', 'current.set_by'])

type Row = Columns & Pick<Version, 'fingerprint' | 'key_id' | 'set_at' | 'set_by'>

const rowOf = (row: Row): SecretRow => ({
  name: row.name,
  kind: row.kind as SecretKind,
  variable: row.variable ?? undefined,
  note: row.note,
  version: row.version,
  fingerprint: row.fingerprint,
  createdAt: row.created_at,
  setAt: row.set_at,
  setBy: JSON.parse(row.set_by),
  usedAt: row.used_at ?? undefined,
  usedFor: row.used_for ?? undefined,
  keyId: row.key_id,
})

const sealedColumns = ['project', 'name', 'version', 'sealed'] as const

const queries = {
  // Locked, so that two that are set at once are counted one after the other.
  lock: query<{ project: string }>()(({ project }) =>
    sql.selectFrom('projects').select('name').where('name', '=', project).forNoKeyUpdate(),
  ),
  count: query<{ project: string }>()(({ project }) =>
    sql
      .selectFrom('secrets')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where('project', '=', project),
  ),
  bytes: query<{ project: string }>()(({ project }) =>
    sql
      .selectFrom('secret_versions')
      .select(({ fn }) => fn.sum<number | null>('bytes').as('bytes'))
      .where('project', '=', project),
  ),
  row: query<Name>()(({ project, name }) =>
    selectRows().where('secrets.project', '=', project).where('secrets.name', '=', name),
  ),
  rows: query<{ project: string }>()(({ project }) =>
    selectRows().where('secrets.project', '=', project).orderBy('secrets.name'),
  ),
  newest: query<Name>()(({ project, name }) =>
    sql
      .selectFrom('secret_versions')
      .select('version')
      .where('project', '=', project)
      .where('name', '=', name)
      .orderBy('version', 'desc')
      .limit(1),
  ),
  put: query<Columns>()(({ project, name, kind, variable, note, version, created_at, used_at, used_for }) =>
    sql
      .insertInto('secrets')
      .values({ project, name, kind, variable, note, version, created_at, used_at, used_for })
      .onConflict((conflict) =>
        conflict.columns(['project', 'name']).doUpdateSet({ kind, variable, note, version }),
      ),
  ),
  addVersion: query<Version>()((values) => {
    const { project, name, version, sealed, key_id, bytes, fingerprint, set_at, set_by, replaced_at } = values
    return sql
      .insertInto('secret_versions')
      .values({ project, name, version, sealed, key_id, bytes, fingerprint, set_at, set_by, replaced_at })
  }),
  replace: query<Name & { now: number }>()(({ project, name, now }) =>
    sql
      .updateTable('secret_versions')
      .set({ replaced_at: now })
      .where('project', '=', project)
      .where('name', '=', name)
      .where('replaced_at', 'is', null),
  ),
  dropFormer: query<Name & { below: number }>()(({ project, name, below }) =>
    sql
      .deleteFrom('secret_versions')
      .where('project', '=', project)
      .where('name', '=', name)
      .where('version', '<', below),
  ),
  remove: query<Name>()(({ project, name }) =>
    sql.deleteFrom('secrets').where('project', '=', project).where('name', '=', name),
  ),
  stamp: query<{ project: string }>()(({ project }) =>
    sql.selectFrom('secret_stamps').select('stamp').where('project', '=', project),
  ),
  setStamp: query<{ project: string; stamp: number }>()(({ project, stamp }) =>
    sql
      .insertInto('secret_stamps')
      .values({ project, stamp })
      .onConflict((conflict) => conflict.column('project').doUpdateSet({ stamp })),
  ),
  sealed: query<Name>()(({ project, name }) =>
    selectSecrets()
      .select(['current.project', 'current.name', 'current.version', 'current.sealed', 'secrets.kind'])
      .where('secrets.project', '=', project)
      .where('secrets.name', '=', name),
  ),
  known: query<{ project: string }>()(({ project }) =>
    sql
      .selectFrom('secret_versions')
      .select(sealedColumns)
      .where('project', '=', project)
      .orderBy('name')
      .orderBy('version'),
  ),
  used: query<Name & { usedFor: string; now: number; since: number }>()(
    ({ project, name, usedFor, now, since }) =>
      sql
        .updateTable('secrets')
        .set({ used_at: now, used_for: usedFor })
        .where('project', '=', project)
        .where('name', '=', name)
        .where(({ eb, or }) =>
          or([eb('used_at', 'is', null), eb('used_at', '<=', since), eb('used_for', '<>', usedFor)]),
        ),
  ),
  byKey: query<object>()(() =>
    sql
      .selectFrom('secret_versions')
      .select('key_id')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .groupBy('key_id'),
  ),
  sealedBy: query<{ keyId: string; limit: number }>()(({ keyId, limit }) =>
    sql
      .selectFrom('secret_versions')
      .select(sealedColumns)
      .where('key_id', '=', keyId)
      .orderBy('project')
      .orderBy('name')
      .orderBy('version')
      .limit(limit),
  ),
  reseal: query<SealedSecret & { resealed: string; keyId: string }>()((values) =>
    sql
      .updateTable('secret_versions')
      .set({ sealed: values.resealed, key_id: values.keyId })
      .where('project', '=', values.project)
      .where('name', '=', values.name)
      .where('version', '=', values.version)
      .where('sealed', '=', values.sealed),
  ),
  expire: query<{ before: number }>()(({ before }) =>
    sql.deleteFrom('secret_versions').where('replaced_at', '<=', before),
  ),
  keys: query<{ name: string }>()(({ name }) =>
    sql.selectFrom('meta').select('value').where('name', '=', name).forNoKeyUpdate(),
  ),
  firstKeys: query<{ name: string; value: string }>()(({ name, value }) =>
    sql
      .insertInto('meta')
      .values({ name, value })
      .onConflict((conflict) => conflict.doNothing()),
  ),
  setKeys: query<{ name: string; value: string }>()(({ name, value }) =>
    sql.updateTable('meta').set({ value }).where('name', '=', name),
  ),
}

/** What changes secrets. */
export const secretPrograms: Pick<
  Programs,
  'putSecret' | 'deleteSecret' | 'secretUsed' | 'resealSecrets' | 'claimKeys'
> = {
  *putSecret({ project, name, kind, variable = null, note, now, bytes, ...value }) {
    if ((yield* queries.lock.get({ project })) === undefined) throw projectNotFound(project)
    const known = yield* queries.row.get({ project, name })
    const count = (yield* queries.count.get({ project }))?.count ?? 0
    if (known === undefined && count >= limits.secrets) throw tooMany(`${limits.secrets} secrets`)
    const version = ((yield* queries.newest.get({ project, name }))?.version ?? 0) + 1
    yield* queries.replace.run({ project, name, now })
    yield* queries.dropFormer.run({ project, name, below: version - limits.formerSecrets })
    const used = { used_at: null, used_for: null }
    yield* queries.put.run({ project, name, kind, variable, note, version, created_at: now, ...used })
    yield* queries.addVersion.run({
      ...{ project, name, version, bytes, sealed: value.sealed, key_id: value.keyId },
      ...{ fingerprint: value.fingerprint, set_at: now, set_by: JSON.stringify(value.setBy) },
      replaced_at: null,
    })
    if (((yield* queries.bytes.get({ project }))?.bytes ?? 0) > limits.secretBytes)
      throw tooMany(`${limits.secretBytes} bytes of secrets, with those of the last days`)
    yield* changed(project, now)
    const row = yield* queries.row.get({ project, name })
    if (row === undefined) throw new Error('The secret that was just set is not there')
    return { value: rowOf(row) }
  },
  *deleteSecret({ project, name, now }) {
    yield* queries.lock.get({ project })
    if ((yield* queries.remove.run({ project, name })) === 0) throw secretNotFound(project, name)
    yield* queries.replace.run({ project, name, now })
    yield* changed(project, now)
    return { value: undefined }
  },
  *secretUsed(use) {
    return { value: (yield* queries.used.run(use)) > 0 }
  },
  *resealSecrets({ items }) {
    let done = 0
    for (const item of items) done += yield* queries.reseal.run(item)
    return { value: done }
  },
  *claimKeys({ checks, shared }) {
    yield* queries.firstKeys.run({ name: keysName, value: JSON.stringify({}) })
    const known: Record<string, string> = JSON.parse(
      (yield* queries.keys.get({ name: keysName }))?.value ?? '{}',
    )
    const strange = Object.keys(known).length > 0 && !Object.keys(checks).some((id) => id in known)
    if (!(shared && strange))
      yield* queries.setKeys.run({ name: keysName, value: JSON.stringify({ ...checks, ...known }) })
    return { value: known }
  },
}

const keysName = 'keys'

function* changed(project: string, now: number): Program<void> {
  const before = (yield* queries.stamp.get({ project }))?.stamp ?? 0
  yield* queries.setStamp.run({ project, stamp: Math.max(now, before + 1) })
}

/** Forgets former values that nobody has to hide any more. */
export function* expireSecrets(now: number): Program<void> {
  yield* queries.expire.run({ before: now - limits.formerSecretDays * 86_400_000 })
}

const secretNotFound = (project: string, name: string) =>
  new BerthError('secret_not_found', `The project ${project} has no secret ${name}.`)

const tooMany = (what: string) =>
  new BerthError(
    'too_many_secrets',
    `A project may have ${what}. Delete some that nobody needs, or use another project.`,
  )

export function* secrets(project: string): Program<SecretRow[]> {
  return (yield* queries.rows.all({ project })).map(rowOf)
}

export function* sealedSecret(
  project: string,
  name: string,
): Program<(SealedSecret & { kind: SecretKind }) | undefined> {
  const row = yield* queries.sealed.get({ project, name })
  return row && { ...row, kind: row.kind as SecretKind }
}

export function* secretStamp(project: string): Program<number> {
  return (yield* queries.stamp.get({ project }))?.stamp ?? 0
}

export function* knownSecrets(project: string): Program<{ stamp: number; items: SealedSecret[] }> {
  // The stamp first: what is added meanwhile has another, and is read again.
  const stamp = (yield* queries.stamp.get({ project }))?.stamp ?? 0
  if (stamp === 0) return { stamp, items: [] }
  return { stamp, items: yield* queries.known.all({ project }) }
}

export function* sealedBy(): Program<Map<string, number>> {
  const rows = yield* queries.byKey.all({})
  return new Map(rows.map(({ key_id, count }) => [key_id, count]))
}

export function* secretsSealedBy(keyId: string, limit: number): Program<SealedSecret[]> {
  return yield* queries.sealedBy.all({ keyId, limit })
}
