import type { DatabaseSync } from 'node:sqlite'
import type { Done } from '../operations.ts'
import { spoilsTransaction, toFault } from './fault.ts'
import type { Job, Reply } from './protocol.ts'
import type { StateCache } from './state-cache.ts'

/**
 * Runs waiting jobs in one transaction, each in a savepoint of its own, so that one that is refused changes nothing for the
 * others. When the database itself fails (the disk is full), all is rolled back and each job runs again alone: the
 * small ones may still fit, and nothing is half done.
 */
export class GroupCommit {
  readonly #database: DatabaseSync
  readonly #handle: (job: Job) => Done
  readonly #cache: StateCache
  readonly #statements: Record<'begin' | 'commit' | 'savepoint' | 'release' | 'undo', () => void>

  constructor(database: DatabaseSync, handle: (job: Job) => Done, cache: StateCache) {
    this.#database = database
    this.#handle = handle
    this.#cache = cache
    const statement = (sql: string) => {
      const prepared = database.prepare(sql)
      return () => void prepared.run()
    }
    this.#statements = {
      begin: statement('BEGIN IMMEDIATE'),
      commit: statement('COMMIT'),
      savepoint: statement('SAVEPOINT job'),
      release: statement('RELEASE job'),
      undo: statement('ROLLBACK TO job'),
    }
  }

  /** The replies, when everything is durable. Never throws. */
  run(jobs: Job[]): Reply[] {
    try {
      this.#statements.begin()
      const replies = jobs.map((job) => this.#runOne(job))
      this.#statements.commit()
      this.#cache.committed()
      return replies
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      this.#cache.rolledBack()
      const [only, ...more] = jobs
      if (only !== undefined && more.length === 0) return [{ id: only.id, fault: toFault(error) }]
      return jobs.flatMap((job) => this.run([job]))
    }
  }

  #runOne(job: Job): Reply {
    this.#statements.savepoint()
    try {
      const done = this.#handle(job)
      this.#statements.release()
      return { id: job.id, ...done }
    } catch (error) {
      if (spoilsTransaction(error) || !this.#database.isTransaction) throw error
      this.#statements.undo()
      this.#statements.release()
      return { id: job.id, fault: toFault(error) }
    }
  }
}
