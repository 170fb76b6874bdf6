import type { AuditDraft } from '../audit-store.ts'
import type { Operation, Operations } from '../operations.ts'
import type { Notice, Store } from '../port.ts'
import { ProgramStore, type StoreParts, tellAll } from '../program-store.ts'
import { programOf } from '../programs/programs.ts'
import { Appender } from './appender.ts'
import { attention } from './attention.ts'
import { type Connection, type ConnectionOptions, Connections, runProgram } from './connections.ts'
import { toStoreError } from './fault.ts'
import { migrate } from './migrate.ts'
import { openNews } from './news.ts'
import { Teller } from './teller.ts'

export type PostgresStoreOptions = ConnectionOptions

/**
 * Opens the store in a PostgreSQL database (14 or later), making the tables if it is empty. Several backends may share it.
 * Rejects with `StoreOpenError` when other tables are there, and with `unavailable` when it can't be reached.
 */
export const createPostgresStore = async (options: PostgresStoreOptions): Promise<Store> => {
  const connections = new Connections(options)
  try {
    await migrate(connections)
    const listeners = new Set<(notice: Notice) => void>()
    const news = await openNews({
      connection: options,
      connections,
      onNotice: (notice) => tellAll(listeners, notice),
    })
    const tell = (notices: readonly Notice[]) => {
      for (const notice of notices) tellAll(listeners, notice)
      news.tell(notices)
    }
    const teller = new Teller(connections, tell)
    const appender = new Appender(teller)
    const close = async () => {
      await appender.close()
      await news.close()
      await connections.close()
    }
    const store = new ProgramStore(partsOf({ connections, appender, teller, close, listeners }))
    await store.sweep()
    return store
  } catch (error) {
    await connections.close()
    throw toStoreError(error)
  }
}

interface Parts {
  connections: Connections
  appender: Appender
  teller: Teller
  close: () => Promise<void>
  listeners: Set<(notice: Notice) => void>
}

/** Rows of events that are asked for at once: most are some hundred bytes long. */
const fetched = 500

/** Two of these can each be right alone and wrong together, e.g. a base that is dropped while it is taken. */
const serializable: ReadonlySet<Operation> = new Set([
  'useBase',
  'shareBases',
  'makeBase',
  'completeBase',
  'dropBases',
  'createProject',
  'beginDeletion',
  'finishDeletion',
])
/** One statement each, or a lock before all others: what follows sees what it waited for. */
const readCommitted: ReadonlySet<Operation> = new Set([
  'heartbeat',
  'lease',
  'release',
  'createUpload',
  'setMember',
  'removeMember',
  'createKey',
  'rotateKey',
  'revokeKey',
  'touchKey',
  'revokeSubject',
  'purge',
  'sweep',
  'sealAudit',
])

const isolationOf = (operation: Operation): string => {
  if (serializable.has(operation)) return 'SERIALIZABLE'
  return readCommitted.has(operation) ? 'READ COMMITTED' : 'REPEATABLE READ'
}

const partsOf = ({ connections, appender, teller, close, listeners }: Parts): StoreParts => ({
  kind: 'postgres',
  listeners,
  fetched,
  read: (program) => connections.read(program),
  write: async <K extends Operation>(operation: K, input: Operations[K]['input'], audit?: AuditDraft) => {
    if (operation === 'append')
      return appender.append({ ...(input as Operations['append']['input']), audit }) as never
    const work = async (connection: Connection) => {
      const program = programOf(operation as Exclude<Operation, 'append' | 'ping'>, input as never, audit)
      const { value, notice } = await runProgram(connection, program)
      return { value: value as Operations[K]['value'], notices: notice === undefined ? [] : [notice] }
    }
    return teller.transact(work, isolationOf(operation))
  },
  attention: (query) => attention(connections, query),
  bytes: async () => {
    const [row] = await connections.statement('SELECT pg_database_size(current_database()) AS bytes')
    return Number(row?.bytes ?? 0)
  },
  ping: async () => void (await connections.statement('SELECT 1')),
  close,
})
