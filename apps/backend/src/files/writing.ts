import {
  type Actor,
  BerthError,
  type OperationRequest,
  type OperationResult,
  type SessionState,
  type Transfer,
} from '@berth/contract'
import { isComing, type Operations } from '../operations/operations.ts'
import type { AuditDraft } from '../store/audit-store.ts'

export interface ChangeCall {
  project: string
  session: string
  actor: Actor
  /** The operation's id, where the bytes lie under it. */
  operation?: string
  audit?: AuditDraft | undefined
  signal?: AbortSignal
}

/** What is written, and over what. */
export interface FileToWrite {
  path: string
  content: Transfer
  executable?: boolean | undefined
  expected?: string | null | undefined
}

/** Rejects when no runner is there, or about to be, that could change files. */
export const checkLive = ({ summary, live, connected }: SessionState): void => {
  if (summary.desired === 'deleted')
    throw new BerthError('session_deleted', `Session ${summary.id} is deleted. Restore it first.`)
  const state = { summary, live, connected }
  if ((live && connected && summary.desired === 'running') || isComing(state)) return
  throw new BerthError(
    'session_not_live',
    `Session ${summary.id} is ${summary.status.phase}, and only a live session’s files can be changed. Resume it first, or ask to wake it (wake=true).`,
  )
}

export const writeFile = async (
  operations: Operations,
  call: ChangeCall,
  { path, content, executable, expected }: FileToWrite,
): Promise<Extract<OperationResult, { kind: 'write' }>> => {
  const request: Extract<OperationRequest, { kind: 'write' }> = {
    kind: 'write',
    path,
    content,
    executable,
    expected,
  }
  return operations.run({ ...call, request, bulk: true })
}
