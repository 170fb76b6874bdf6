import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { StoreOpenError } from '../open-error.ts'

/** What is locked: a connection that nobody holds would be collected, and its lock with it. */
const held = new Set<DatabaseSync>()

/**
 * Takes a data directory for this process; throws `StoreOpenError` (`in-use`) when another has it. The lock is the operating
 * system's, on `lock.db`: it ends with the process, however that ends. `lock.json` only says who has it.
 * Returns the release, which may be called again.
 */
export const lockDirectory = (directory: string): (() => void) => {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const note = join(directory, 'lock.json')
  const database = new DatabaseSync(join(directory, 'lock.db'), { timeout: 0 })
  try {
    database.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if (!isBusy(error)) throw error
    throw new StoreOpenError('in-use', inUse(directory, note))
  }
  held.add(database)
  const started = new Date(Date.now() - process.uptime() * 1000).toISOString()
  writeFileSync(note, `${JSON.stringify({ pid: process.pid, started })}\n`, { mode: 0o600 })
  return () => {
    if (!held.delete(database)) return
    rmSync(note, { force: true })
    database.close()
  }
}

/** SQLITE_BUSY, with any extension. */
const isBusy = (error: unknown) =>
  error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === 5

const inUse = (directory: string, note: string): string => {
  const advice = 'Stop it first, or give this one another directory with BERTH_DATA_DIR.'
  try {
    const { pid, started } = JSON.parse(readFileSync(note, 'utf8'))
    return `Process ${pid}, started ${started}, works in the data directory ${directory} already. ${advice}`
  } catch {
    return `Another process works in the data directory ${directory} already. ${advice}`
  }
}
