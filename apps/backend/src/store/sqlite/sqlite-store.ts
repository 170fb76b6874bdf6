import { dirname } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import type { BlobRef, LogLine } from '@berth/contract'
import type {
  AppendRequest,
  Grant,
  Idempotency,
  Notice,
  Page,
  ProjectEdit,
  SessionFilter,
  Store,
  UsageQuery,
} from '../port.ts'
import { openReader, openWriter } from './connection.ts'
import { isFull } from './fault.ts'
import { lockDirectory } from './lock.ts'
import { migrate } from './migrate.ts'
import { closedError, Reader } from './reader.ts'
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

/** Rows that maintenance removes in one transaction, so that appends never wait for long. */
const sweepRows = 2000

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
    const store = new SqliteStore({ file, maxBytes, cachedSessions, cachedBytes }, { unlock, now })
    try {
      await store.opened()
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

interface Surroundings {
  unlock: () => void
  now: () => number
}

class SqliteStore implements Store {
  readonly kind = 'sqlite'
  readonly #writer: Writer
  readonly #reader: Reader
  readonly #unlock: () => void
  readonly #now: () => number
  readonly #listeners = new Set<(notice: Notice) => void>()
  #closed = false

  constructor(data: ConstructorParameters<typeof Writer>[0], { unlock, now }: Surroundings) {
    this.#writer = new Writer(data, (notice) => this.#tell(notice))
    this.#reader = new Reader(openReader(data.file))
    this.#unlock = unlock
    this.#now = now
  }

  /** Also finishes a purge that a crash cut short. */
  async opened(): Promise<void> {
    await this.#writer.ready()
    await this.#sweep()
  }

  append(request: AppendRequest) {
    return this.#writer.run('append', request)
  }

  watch(listener: (notice: Notice) => void) {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  summary(project: string, session: string) {
    return this.#read((reader) => reader.summary(project, session))
  }
  state(session: string) {
    return this.#read((reader) => reader.state(session))
  }
  list(project: string, filter: SessionFilter, page: Page) {
    return this.#read((reader) => reader.list(project, filter, page))
  }
  events(session: string, range: { after: number; limit: number; maxBytes: number }) {
    return this.#read((reader) => reader.events(session, range))
  }
  lastEvent(session: string, filter: { type: string; turn?: string }) {
    return this.#read((reader) => reader.lastEvent(session, filter))
  }

  eventsOfType(session: string, filter: { type: string; below?: number; limit: number }) {
    return this.#read((reader) => reader.eventsOfType(session, filter))
  }

  outcome(idempotency: Idempotency, now: number) {
    return this.#read((reader) => reader.outcome(idempotency, now))
  }
  changes(project: string, range: { after: number; limit: number }) {
    return this.#read((reader) => reader.changes(project, range))
  }
  revision(project: string) {
    return this.#read((reader) => reader.revision(project))
  }
  heads(watched: { sessions: string[]; projects: string[] }) {
    return this.#read((reader) => reader.heads(watched))
  }

  createProject(project: Parameters<Store['createProject']>[0]) {
    return this.#writer.run('createProject', project)
  }
  project(name: string) {
    return this.#read((reader) => reader.project(name))
  }
  projectSettings(name: string) {
    return this.#read((reader) => reader.projectSettings(name))
  }
  projects(page: Page) {
    return this.#read((reader) => reader.projects(page))
  }
  editProject(name: string, edit: ProjectEdit) {
    return this.#writer.run('editProject', { name, edit })
  }
  deleteProject(name: string) {
    return this.#writer.run('deleteProject', { name })
  }

  usage(query: UsageQuery, page: Page) {
    return this.#read((reader) => reader.usage(query, page))
  }
  usageSum(query: Omit<UsageQuery, 'by'>) {
    return this.#read((reader) => reader.usageSum(query))
  }
  monthUsage(project: string, month: string) {
    return this.#read((reader) => reader.monthUsage(project, month))
  }

  runner(tokenHash: string) {
    return this.#read((reader) => reader.runner(tokenHash))
  }
  setRunnerToken(session: string, generation: number, tokenHash: string) {
    return this.#writer.run('setRunnerToken', { session, generation, tokenHash })
  }
  heartbeat(session: string, generation: number, beat: { now: number; memoryBytes?: number }) {
    return this.#writer.run('heartbeat', { session, generation, ...beat })
  }
  generation(session: string) {
    return this.#read((reader) => reader.generation(session))
  }

  addLogs(session: string, generation: number, lines: LogLine[]) {
    return this.#writer.run('addLogs', { session, generation, lines })
  }
  logs(session: string, range: Parameters<Store['logs']>[1]) {
    return this.#read((reader) => reader.logs(session, range))
  }

  attention(query: Parameters<Store['attention']>[0]) {
    return this.#read((reader) => reader.attention(query))
  }
  existing(sessions: string[]) {
    return this.#read((reader) => reader.existing(sessions))
  }
  occupancy() {
    return this.#read((reader) => reader.occupancy())
  }
  lease(name: string, holder: string, ttlMs: number) {
    return this.#writer.run('lease', { name, holder, now: this.#now(), ttlMs })
  }
  release(name: string, holder: string) {
    return this.#writer.run('release', { name, holder })
  }

  compact(query: { now: number; limit: number }) {
    return this.#writer.run('compact', query)
  }
  async expire(query: { now: number; before: number }) {
    while (await this.#writer.run('expire', { ...query, time: this.#now(), limit: sweepRows }));
  }
  async purge(session: string, now: number) {
    await this.#writer.run('purge', { session, now })
    await this.#sweep()
  }

  base(project: string, key: string) {
    return this.#read((reader) => reader.base(project, key))
  }
  useBase(session: string, base: { key: string; scope: string }) {
    return this.#writer.run('useBase', { session, ...base })
  }
  shareBases(from: string, to: string) {
    return this.#writer.run('shareBases', { from, to })
  }
  makeBase(project: string, base: { key: string; scope: string }) {
    return this.#writer.run('makeBase', { project, ...base })
  }

  completeBase(project: string, key: string, parts: BlobRef[]) {
    return this.#writer.run('completeBase', { project, key, parts })
  }
  dropBases(query: { now: number; before: number }) {
    return this.#writer.run('dropBases', query)
  }
  existingBases(scopes: string[]) {
    return this.#read((reader) => reader.existingBases(scopes))
  }

  async createUpload(upload: Parameters<Store['createUpload']>[0]) {
    await this.#writer.run('createUpload', upload)
  }
  upload(upload: string) {
    return this.#read((reader) => reader.upload(upload))
  }
  uploads(session: string) {
    return this.#read((reader) => reader.uploads(session))
  }
  async extendUpload(upload: string, step: { from: number; to: number; parts: string[] }) {
    await this.#writer.run('extendUpload', { upload, ...step })
  }
  async removeUpload(upload: string) {
    await this.#writer.run('removeUpload', { upload })
  }

  putGrant(grant: Grant) {
    return this.#writer.run('putGrant', grant)
  }
  grant(kind: Grant['kind'], hash: string, now: number) {
    return this.#read((reader) => reader.grant(kind, hash, now))
  }
  takeGrant(kind: Grant['kind'], hash: string, now: number) {
    return this.#writer.run('takeGrant', { kind, hash, now })
  }
  removeGrant(kind: Grant['kind'], hash: string) {
    return this.#writer.run('removeGrant', { kind, hash })
  }

  stats() {
    return this.#read((reader) => reader.stats())
  }
  async ping() {
    await this.#read((reader) => reader.ping())
    await this.#writer.run('ping', undefined)
  }

  async close() {
    if (!this.#closed) {
      this.#closed = true
      this.#reader.close()
    }
    await this.#writer.close()
    this.#unlock()
  }

  async #sweep() {
    while (await this.#writer.run('sweep', { limit: sweepRows }));
  }

  async #read<T>(read: (reader: Reader) => T): Promise<T> {
    if (this.#closed) throw closedError()
    return read(this.#reader)
  }

  #tell(notice: Notice) {
    for (const listener of this.#listeners) {
      try {
        listener(notice)
      } catch (error) {
        process.emitWarning(error instanceof Error ? error : new Error(String(error)))
      }
    }
  }
}
