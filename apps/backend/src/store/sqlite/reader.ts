import type { DatabaseSync } from 'node:sqlite'
import { BerthError, limits, type SessionState, type StoredLogLine, type UsageSum } from '@berth/contract'
import { decodeCursor, encodeCursor } from '../cursor.ts'
import { keyMismatch } from '../key-mismatch.ts'
import type {
  BaseRow,
  ChangeLine,
  GenerationRow,
  Grant,
  Heads,
  Idempotency,
  Line,
  ListPage,
  Occupancy,
  Page,
  ProjectRow,
  RunnerIdentity,
  SessionFilter,
  Store,
  UsageQuery,
  UsageRow,
} from '../port.ts'
import { stateOf } from '../session-columns.ts'
import type { UploadRow } from '../upload-store.ts'
import { baseOf } from './bases.ts'
import { listQuery } from './list-query.ts'
import { logLineOf, logQuery } from './logs.ts'
import { maxSeq, placeOf, placesOf } from './place.ts'
import { projectOf } from './projects.ts'
import { VaryingQueries } from './query.ts'
import { readQueries } from './read-queries.ts'
import { projectNotFound } from './revision.ts'
import { uploadOf } from './uploads.ts'
import { usageOf, usageQuery, usageSumQuery } from './usage-query.ts'

/** What is read: synchronously, on the caller's thread, from the last commit. */
export class Reader {
  readonly #database: DatabaseSync
  readonly #queries: ReturnType<typeof readQueries>
  readonly #varying: VaryingQueries

  constructor(database: DatabaseSync) {
    this.#database = database
    this.#queries = readQueries(database)
    this.#varying = new VaryingQueries(database)
  }

  summary(project: string, session: string): string | undefined {
    return this.#queries.summary.get({ project, session })?.summary
  }

  state(session: string): SessionState | undefined {
    const row = this.#queries.state.get({ session })
    return row === undefined ? undefined : stateOf(row)
  }

  list(project: string, filter: SessionFilter, page: Page): ListPage {
    const rows = this.#varying.all(listQuery(project, filter, page))
    const items = rows.slice(0, page.limit)
    const last = items.at(-1)
    const more = rows.length > page.limit && last !== undefined
    return {
      items: items.map(({ summary }) => summary),
      next: more ? encodeCursor([last.created_at, last.id]) : undefined,
    }
  }

  events(session: string, range: { after: number; limit: number; maxBytes: number }): Line[] {
    const { after, limit, maxBytes } = range
    const lines: Line[] = []
    const row = this.#queries.number.get({ session })
    if (row === undefined) return lines
    const places = { after: placeOf(row.number, Math.min(after, maxSeq)), below: placesOf(row.number).below }
    let bytes = 0
    for (const { seq, json } of this.#queries.events.iterate({ ...places, limit })) {
      bytes += json.length
      if (lines.length > 0 && bytes > maxBytes) break
      lines.push({ seq, json })
    }
    return lines
  }

  lastEvent(session: string, { type, turn }: { type: string; turn?: string }): Line | undefined {
    const { lastOfType, lastOfTurn } = this.#queries
    return turn === undefined ? lastOfType.get({ session, type }) : lastOfTurn.get({ session, type, turn })
  }

  eventsOfType(
    session: string,
    { type, below = maxSeq, limit }: Parameters<Store['eventsOfType']>[1],
  ): Line[] {
    const row = this.#queries.number.get({ session })
    if (row === undefined) return []
    const place = placeOf(row.number, Math.max(0, Math.min(Math.trunc(below), maxSeq)))
    return this.#queries.ofType.all({ session: row.number, type, below: place, limit })
  }

  outcome({ scope, key, hash }: Idempotency, now: number): { session: string; first: number } | undefined {
    const record = this.#queries.outcome.get({ scope, key, since: now - limits.idempotencyHours * 3600_000 })
    if (record !== undefined && record.hash !== hash) throw keyMismatch(key)
    return record && { session: record.session, first: record.first }
  }

  changes(
    project: string,
    { after, limit }: { after: number; limit: number },
  ): { items: ChangeLine[]; reset: boolean } {
    const { revision, forgotten } = this.#project(project)
    if (after < forgotten || after > revision) return { items: [], reset: true }
    const items: ChangeLine[] = [
      ...this.#queries.changed.all({ project, after, limit }),
      ...this.#queries.removed.all({ project, after, limit }),
    ]
    items.sort((a, b) => a.revision - b.revision)
    return { items: items.slice(0, limit).map((item) => ({ ...item })), reset: false }
  }

  revision(project: string): number {
    return this.#project(project).revision
  }

  heads({ sessions, projects }: { sessions: string[]; projects: string[] }): Heads {
    const heads: Heads = { sessions: new Map(), projects: new Map() }
    for (const session of sessions) {
      const row = this.#queries.state.get({ session })
      if (row !== undefined) heads.sessions.set(session, stateOf(row).summary.seq)
    }
    for (const name of projects) {
      const row = this.#queries.revision.get({ name })
      if (row !== undefined) heads.projects.set(name, row.revision)
    }
    return heads
  }

  project(name: string): ProjectRow | undefined {
    const row = this.#queries.project.get({ name })
    return row === undefined ? undefined : projectOf(row)
  }

  projectSettings(name: string): Pick<ProjectRow, 'settings' | 'settingsVersion'> | undefined {
    const row = this.#queries.settings.get({ name })
    return row && { settings: JSON.parse(row.settings), settingsVersion: row.settings_version }
  }

  usage(query: UsageQuery, page: Page): { items: UsageRow[]; next?: string } {
    const rows = this.#varying.all(usageQuery(query, page))
    const items = rows.slice(0, page.limit).map((row) => ({ key: row.key, ...usageOf(row) }))
    const last = items.at(-1)
    return rows.length > page.limit && last !== undefined
      ? { items, next: encodeCursor([last.key]) }
      : { items }
  }

  usageSum(query: Omit<UsageQuery, 'by'>): UsageSum {
    const [row] = this.#varying.all(usageSumQuery(query))
    if (row === undefined) throw new Error('SQLite gave no sum')
    return usageOf(row)
  }

  monthUsage(project: string, month: string): { usd: number; tokens: number } {
    const row = this.#queries.month.get({ project, month })
    return { usd: row?.cost_usd ?? 0, tokens: row?.tokens ?? 0 }
  }

  projects({ limit, cursor }: Page): { items: ProjectRow[]; next?: string } {
    const after = cursor === undefined ? '' : String(decodeCursor(cursor, ['string'])[0])
    const rows = this.#queries.projects.all({ after, limit: limit + 1 })
    const items = rows.slice(0, limit).map(projectOf)
    const last = items.at(-1)
    return rows.length > limit && last !== undefined ? { items, next: encodeCursor([last.name]) } : { items }
  }

  runner(tokenHash: string): RunnerIdentity | undefined {
    const row = this.#queries.runner.get({ tokenHash })
    if (row === undefined) return undefined
    const { session, project, generation, live } = row
    return { session, project, generation, current: live === 1 }
  }

  generation(session: string): GenerationRow | undefined {
    const row = this.#queries.generation.get({ session })
    if (row === undefined) return undefined
    const { generation, started_at: startedAt, heartbeat_at: heartbeatAt } = row
    return { generation, startedAt, heartbeatAt: heartbeatAt ?? undefined }
  }

  logs(session: string, { source, after, limit }: Parameters<Store['logs']>[1]): StoredLogLine[] {
    const rows = this.#varying.all(logQuery(session, { source, after, limit }))
    return (after === undefined ? rows.reverse() : rows).map(logLineOf)
  }

  /** Due sessions and silent ones, merged by how long they have been waiting. */
  attention({ now, silentBefore, limit }: Parameters<Store['attention']>[0]): string[] {
    const patience = now - silentBefore
    const since = new Map<string, number>()
    for (const { id, at } of this.#queries.silent.all({ silentBefore, limit })) since.set(id, at + patience)
    for (const { id, at } of this.#queries.due.all({ now, limit }))
      since.set(id, Math.min(at ?? now, since.get(id) ?? now))
    const sorted = [...since].sort(([, a], [, b]) => a - b)
    return sorted.slice(0, limit).map(([id]) => id)
  }

  occupancy(): Occupancy {
    const { occupants, applicants } = this.#queries
    const live = occupants.all({}).map(({ memory, ...row }) => ({ ...row, memoryBytes: memory ?? undefined }))
    return { live, waiting: applicants.all({}).map(({ since, ...row }) => ({ ...row, since: since ?? 0 })) }
  }

  existing(sessions: string[]): Set<string> {
    return new Set(sessions.filter((session) => this.#queries.exists.get({ session }) !== undefined))
  }

  base(project: string, key: string): BaseRow | undefined {
    const row = this.#queries.base.get({ project, key })
    return row === undefined ? undefined : baseOf(row)
  }

  upload(id: string): UploadRow | undefined {
    const row = this.#queries.upload.get({ id })
    return row && uploadOf(row)
  }

  uploads(session: string): UploadRow[] {
    return this.#queries.uploads.all({ session }).map(uploadOf)
  }

  existingBases(scopes: string[]): Set<string> {
    return new Set(scopes.filter((scope) => this.#queries.baseExists.get({ scope }) !== undefined))
  }

  grant(kind: Grant['kind'], hash: string, now: number): Grant | undefined {
    const row = this.#queries.grant.get({ kind, hash })
    if (row === undefined || row.expires_at <= now) return undefined
    return { kind, hash, principal: JSON.parse(row.principal), expiresAt: row.expires_at }
  }

  /** Sessions by phase, those that are deleted apart, and the size of the database. */
  stats(): { sessions: Record<string, number>; bytes: number } {
    const sessions: Record<string, number> = {}
    for (const { phase, deleted, count } of this.#queries.phases.all({})) {
      const name = deleted === 1 ? 'deleted' : phase
      sessions[name] = (sessions[name] ?? 0) + count
    }
    return { sessions, bytes: this.#pragma('page_count') * this.#pragma('page_size') }
  }

  ping(): void {
    this.#database.prepare('SELECT 1').get()
  }

  close(): void {
    this.#database.close()
  }

  #pragma(name: 'page_count' | 'page_size'): number {
    return Number(this.#database.prepare(`PRAGMA ${name}`).get()?.[name])
  }

  #project(name: string): { revision: number; forgotten: number } {
    const row = this.#queries.revision.get({ name })
    if (row === undefined) throw projectNotFound(name)
    return row
  }
}

export const closedError = () => new BerthError('unavailable', 'The store is closed.')
