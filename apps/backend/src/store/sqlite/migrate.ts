import { createHash } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { sqliteSchema } from '../migrations/0001.ts'
import { StoreOpenError } from '../open-error.ts'

const fingerprint = createHash('sha256').update(sqliteSchema).digest('hex')

/** Creates the tables in an empty database; refuses one with other tables (`other-schema`). */
export const migrate = (database: DatabaseSync, file: string): void => {
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()
  if (tables.length === 0) {
    create(database)
    return
  }
  const known = tables.some(({ name }) => name === 'meta')
    ? database.prepare("SELECT value FROM meta WHERE name = 'schema'").get()?.value
    : undefined
  if (known !== fingerprint)
    throw new StoreOpenError(
      'other-schema',
      `The database ${file} was made by another development version of Berth, and can't be used by this one. Move its directory away (or point BERTH_DATA_DIR elsewhere) and start again; or start the version that made it.`,
    )
}

const create = (database: DatabaseSync) => {
  database.exec('BEGIN IMMEDIATE')
  database.exec(sqliteSchema)
  database.prepare("INSERT INTO meta (name, value) VALUES ('schema', ?)").run(fingerprint)
  database.exec('COMMIT')
}
