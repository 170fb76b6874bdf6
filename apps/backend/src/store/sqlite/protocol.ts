import type { AuditDraft } from '../audit-store.ts'
import type { Done, Operation, Operations } from '../operations.ts'
import type { Fault } from './fault.ts'

/** `time`: the store's own, when it was asked; `audit`: recorded when it succeeds. */
export type Job = {
  [K in Operation]: {
    id: number
    operation: K
    input: Operations[K]['input']
    time: number
    audit?: AuditDraft
  }
}[Operation]

export type Reply = { id: number } & (Done | { fault: Fault })

/** To the thread: a job, or the end. */
export type ToWriter = Job | 'close'

/** From the thread: ready, replies of a committed group in their order, or that the database is closed. */
export type FromWriter = 'ready' | 'closed' | Reply[]

/** What the thread is started with. */
export interface WriterData {
  file: string
  maxBytes: number | undefined
  cachedSessions: number
  cachedBytes: number
}
