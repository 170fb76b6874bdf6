import { dirname } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import type { Notice, Store } from '../port.ts'
import { closedError, ProgramStore, type StoreParts, tellAll } from '../program-store.ts'
import type { Program } from '../query.ts'
import { openReader, openWriter } from './connection.ts'
import { isFull } from './fault.ts'
import { lockDirectory } from './lock.ts'
import { migrate } from './migrate.ts'
import type { WriterData } from './protocol.ts'
import { Executor } from './query.ts'
import { Writer } from './writer.ts'

export interface SqliteStoreOptions {
  /** The database's file. Its directory is made if it is missing, and belongs to one process at a time. */
  file: string
  /** Size in bytes that the database may reach; what would need more is refused with `storage_full`. Default: the disk. */
  maxBytes?: number
  /** Sessions whose state the writer keeps in memory. Default: 2,000. */
  cachedSessions?: number
  /** Bytes that these states may take. Default: 64 MB. */
  cachedBytes?: number
  /** The store's own time, which leases go by. Default: the system's. */
  now?: () => number
}

/**
 * Opens the store, making the database if it is missing. Rejects with `StoreOpenError` when another process has the
 * directory, or another development version made the database.
 */
export const createSqliteStore = async (options: SqliteStoreOptions): Promise<Store> => {
  const { file, maxBytes, cachedSessions = 2000, cachedBytes = 64 * 1024 * 1024, now = Date.now } = options
  const unlock = lockDirectory(dirname(file))
  try {
    const database = openWriter(file, maxBytes)
    try {
      migrate(database, file)
      dropLeases(database)
    } finally {
      database.close()
    }
    const parts = new SqliteParts({ file, maxBytes, cachedSessions, cachedBytes }, { unlock, now })
    const store = new ProgramStore(parts)
    try {
      await parts.ready()
      await store.sweep()
    } catch (error) {
      await store.close()
      throw error
    }
    return store
  } catch (error) {
    unlock()
    throw error
  }
}

/** The directory is ours alone, so whoever held a lease is gone: nobody has to wait until it runs out. */
const dropLeases = (database: DatabaseSync): void => {
  try {
    database.exec('DELETE FROM leases')
  } catch (error) {
    // On a full disk they run out by themselves.
    if (!isFull(error)) throw error
  }
}

/** Reads on the caller's thread, from the last commit; writes in the writer's. */
class SqliteParts {
  readonly kind = 'sqlite'
  readonly fetched = 1_000_000
  readonly listeners = new Set<(notice: Notice) => void>()
  readonly #writer: Writer
  readonly #database: DatabaseSync
  readonly #executor: Executor
  readonly #unlock: () => void
  #closed = false

  constructor(data: WriterData, { unlock, now }: { unlock: () => void; now: () => number }) {
    this.#writer = new Writer(data, { now, onNotice: (notice) => tellAll(this.listeners, notice) })
    this.#database = openReader(data.file)
    this.#executor = new Executor(this.#database)
    this.#unlock = unlock
  }

  ready() {
    return this.#writer.ready()
  }

  readonly write: StoreParts['write'] = (operation, input, audit) => this.#writer.run(operation, input, audit)

  readonly read = async <T>(program: Program<T>): Promise<T> => {
    if (this.#closed) throw closedError()
    return this.#executor.run(program)
  }

  readonly bytes = async () => this.#pragma('page_count') * this.#pragma('page_size')

  async ping() {
    if (this.#closed) throw closedError()
    this.#database.prepare('SELECT 1').get()
    await this.#writer.run('ping', undefined)
  }

  async close() {
    if (!this.#closed) {
      this.#closed = true
      this.#database.close()
    }
    await this.#writer.close()
    this.#unlock()
  }

  #pragma(name: 'page_count' | 'page_size'): number {
    return Number(this.#database.prepare(`PRAGMA ${name}`).get()?.[name])
  }
}
