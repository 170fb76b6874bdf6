import { BerthError, type LogLine } from '@berth/contract'
import type { Reader } from '../auth/session-role.ts'
import { type AuditDraft, withId } from './audit-store.ts'
import type { Operation, Operations } from './operations.ts'
import type { AppendRequest, Grant, Idempotency, Notice, Page, SessionFilter, Store } from './port.ts'
import { ProgramProjects } from './program-projects.ts'
import { attention } from './programs/attention.ts'
import { changes } from './programs/changes.ts'
import { grant } from './programs/claims.ts'
import { events, eventsOfType, lastEvent } from './programs/events.ts'
import { logs } from './programs/logs.ts'
import { generation, runner } from './programs/runners.ts'
import {
  existing,
  heads,
  list,
  occupancy,
  outcome,
  phases,
  revision,
  seen,
  sessionAccess,
  state,
  summary,
} from './programs/sessions.ts'
import { budgetUse, usage, usageSum } from './programs/usage.ts'
import type { Program } from './query.ts'
import type { UsageQuery } from './usage-store.ts'

/** What differs between the databases. */
export interface StoreParts extends Pick<Store, 'kind' | 'ping' | 'close'> {
  /** Runs a program that changes nothing. */
  read: <T>(program: Program<T>) => Promise<T>
  /** Does something in a transaction. Who watches is told before it resolves. */
  write: <K extends Operation>(
    operation: K,
    input: Operations[K]['input'],
    /** Recorded in the same transaction; an append has its own. */
    audit?: AuditDraft,
  ) => Promise<Operations[K]['value']>
  /** Bytes of the database. */
  bytes: () => Promise<number>
  /** Default: the program, for one backend. */
  attention?: Store['attention']
  /** Rows of unknown size that are asked for at once. */
  fetched: number
  listeners: Set<(notice: Notice) => void>
}

/** Rows that maintenance removes in one transaction, so that appends never wait for long. */
const sweepRows = 2000

/** The store's port over a database that runs programs. */
export class ProgramStore extends ProgramProjects implements Store {
  readonly kind: Store['kind']
  readonly #parts: StoreParts

  /** `write`: instead of that of the parts. */
  constructor(parts: StoreParts, write: StoreParts['write'] = parts.write) {
    super(parts.read, write)
    this.kind = parts.kind
    this.#parts = parts
  }

  append(request: AppendRequest) {
    const { audit, ...rest } = request
    return this.write('append', rest, audit && withId(audit))
  }
  watch(listener: (notice: Notice) => void) {
    this.#parts.listeners.add(listener)
    return () => void this.#parts.listeners.delete(listener)
  }

  summary(name: string, session: string) {
    return this.read(summary(name, session))
  }
  sessionAccess(name: string, session: string) {
    return this.read(sessionAccess(name, session))
  }
  state(session: string) {
    return this.read(state(session))
  }
  list(name: string, filter: SessionFilter, page: Page) {
    return this.read(list(name, filter, page))
  }
  events(session: string, range: Parameters<Store['events']>[1]) {
    return this.read(events(session, range, this.#parts.fetched))
  }
  lastEvent(session: string, filter: { type: string; turn?: string }) {
    return this.read(lastEvent(session, filter))
  }
  eventsOfType(session: string, filter: Parameters<Store['eventsOfType']>[1]) {
    return this.read(eventsOfType(session, filter))
  }
  outcome(idempotency: Idempotency, now: number) {
    return this.read(outcome(idempotency, now))
  }
  changes(name: string, range: Parameters<Store['changes']>[1]) {
    return this.read(changes(name, range))
  }
  revision(name: string) {
    return this.read(revision(name))
  }
  heads(query: { sessions: string[]; projects: string[] }) {
    return this.read(heads(query))
  }

  usage(query: UsageQuery, page: Page) {
    return this.read(usage(query, page))
  }
  usageSum(query: Omit<UsageQuery, 'by'>) {
    return this.read(usageSum(query))
  }
  budgetUse(project: string, of: { user: string; at: string }) {
    return this.read(budgetUse(project, of))
  }

  runner(tokenHash: string) {
    return this.read(runner(tokenHash))
  }
  setRunnerToken(session: string, number: number, tokenHash: string) {
    return this.write('setRunnerToken', { session, generation: number, tokenHash })
  }
  heartbeat(session: string, number: number, beat: { now: number; memoryBytes?: number }) {
    return this.write('heartbeat', { session, generation: number, ...beat })
  }
  generation(session: string) {
    return this.read(generation(session))
  }

  addLogs(session: string, number: number, lines: LogLine[]) {
    return this.write('addLogs', { session, generation: number, lines })
  }
  logs(session: string, range: Parameters<Store['logs']>[1]) {
    return this.read(logs(session, range))
  }

  attention(query: Parameters<Store['attention']>[0]) {
    return this.#parts.attention?.(query) ?? this.read(attention(query))
  }
  existing(sessions: string[]) {
    return this.read(existing(sessions))
  }
  seen(sessions: readonly string[], reader: Reader) {
    return this.read(seen(sessions, reader))
  }
  occupancy() {
    return this.read(occupancy())
  }
  lease(name: string, holder: string, ttlMs: number) {
    return this.write('lease', { name, holder, ttlMs })
  }
  release(name: string, holder: string) {
    return this.write('release', { name, holder })
  }

  compact(query: { now: number; limit: number }) {
    return this.write('compact', query)
  }
  async expire(query: { now: number; before: number }) {
    while (await this.write('expire', { ...query, limit: sweepRows }));
  }
  async purge(session: string, now: number) {
    await this.write('purge', { session, now })
    await this.sweep()
  }
  /** Removes what is left of purged sessions, also of a purge that a crash cut short. */
  async sweep() {
    while (await this.write('sweep', { limit: sweepRows }));
  }

  putGrant(input: Grant) {
    return this.write('putGrant', input)
  }
  grant(kind: Grant['kind'], hash: string, now: number) {
    return this.read(grant(kind, hash, now))
  }
  takeGrant(kind: Grant['kind'], hash: string, now: number) {
    return this.write('takeGrant', { kind, hash, now })
  }
  removeGrant(kind: Grant['kind'], hash: string) {
    return this.write('removeGrant', { kind, hash })
  }

  audited(draft: AuditDraft | (() => AuditDraft)): Store {
    const given = typeof draft === 'function' ? draft : withId(draft)
    const write: StoreParts['write'] = (operation, input, own) => {
      return this.write(operation, input, own ?? withId(typeof given === 'function' ? given() : given))
    }
    return new ProgramStore(this.#parts, write)
  }
  recordAudit(draft: AuditDraft) {
    return this.write('recordAudit', withId(draft))
  }

  async stats() {
    return { sessions: await this.read(phases()), bytes: await this.#parts.bytes() }
  }
  ping() {
    return this.#parts.ping()
  }
  close() {
    return this.#parts.close()
  }
}

/** Tells everybody who watches; one who throws is none of the others' business. */
export const tellAll = (listeners: Iterable<(notice: Notice) => void>, notice: Notice): void => {
  for (const listener of listeners) {
    try {
      listener(notice)
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : new Error(String(error)))
    }
  }
}

export const closedError = () => new BerthError('unavailable', 'The store is closed.')
