import { DatabaseSync } from 'node:sqlite'

const pageSize = 8192
/** Pages in the write-ahead log after which the writer moves them into the database: 32 MB. */
const checkpointPages = 4096
const walBytesKept = 64 * 1024 * 1024
const busyMs = 5000

/** The writing connection: durable at each commit. `maxBytes` bounds the database's size. */
export const openWriter = (file: string, maxBytes?: number): DatabaseSync => {
  const database = new DatabaseSync(file, { timeout: busyMs, enableForeignKeyConstraints: true })
  database.exec(`PRAGMA page_size = ${pageSize}`)
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY')
  database.exec(`PRAGMA wal_autocheckpoint = ${checkpointPages}; PRAGMA journal_size_limit = ${walBytesKept}`)
  database.exec('PRAGMA cache_size = -32768')
  if (maxBytes !== undefined) database.exec(`PRAGMA max_page_count = ${Math.ceil(maxBytes / pageSize)}`)
  return database
}

/** A reading connection; the file must exist. */
export const openReader = (file: string): DatabaseSync => {
  const database = new DatabaseSync(file, { readOnly: true, timeout: busyMs })
  database.exec('PRAGMA cache_size = -32768; PRAGMA mmap_size = 268435456')
  return database
}
