import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { type AuditHead, auditHead } from '@berth/contract'
import type { Logger } from 'pino'
import { parseJson } from '../parse-json.ts'
import type { AuditStore } from '../store/audit-store.ts'
import type { ChainKeys } from './chain-keys.ts'

export interface HeadsFileOptions {
  store: Pick<AuditStore, 'auditChain' | 'auditHeadsOf'>
  keys: Pick<ChainKeys, 'isSigned'>
  log: Logger
  file: string
}

/** Far more than a line has. */
const tailBytes = 64 * 1024
/** Entries whose heads are looked up at once. */
const batch = 5000

/**
 * Appends heads of the store to a file that keeps them from the database’s owner: all that come after the last one there, so
 * that whatever cut an earlier call short is made good. A new head comes in any case, also one that is lower than the last: then
 * somebody has cut the chain, and the file shows it. Rejects when the file can’t be read or written.
 */
export const appendHeads = async (options: HeadsFileOptions, made: AuditHead | undefined): Promise<void> => {
  const { store, file } = options
  const { tip, anchor } = await store.auditChain()
  const handle = await open(file, constants.O_RDWR | constants.O_CREAT | constants.O_APPEND, 0o600)
  try {
    const last = await endOf(handle)
    const upTo = made === undefined ? tip.number : made.number - 1
    for (let after = Math.max(last, anchor?.number ?? 0); after < upTo; after += batch) {
      const heads = await store.auditHeadsOf({ after, upTo: Math.min(after + batch, upTo) })
      await append(
        handle,
        heads.filter((head) => isOurs(options, head)),
      )
    }
    if (made !== undefined) await append(handle, [made])
    await handle.datasync()
  } finally {
    await handle.close()
  }
}

const append = async (handle: FileHandle, heads: readonly AuditHead[]): Promise<void> => {
  if (heads.length > 0) await handle.appendFile(heads.map((head) => `${JSON.stringify(head)}\n`).join(''))
}

/** Whoever can write to the database could put anything there. */
const isOurs = ({ keys, log }: HeadsFileOptions, head: AuditHead): boolean => {
  if (keys.isSigned(head) !== false) return true
  log.error({ auditHead: head }, 'The store has a head of the audit that Berth did not sign')
  return false
}

/** The number of the file’s last head; 0: it has none. A line that was cut short is removed: what it told is written again. */
const endOf = async (handle: FileHandle): Promise<number> => {
  const { size } = await handle.stat()
  const from = Math.max(0, size - tailBytes)
  const tail = Buffer.alloc(size - from)
  const { bytesRead } = await handle.read(tail, 0, tail.length, from)
  const whole = tail.subarray(0, bytesRead).lastIndexOf('\n') + 1
  if (whole < bytesRead) await handle.truncate(from + whole)
  const lines = tail.subarray(0, whole).toString('utf8').trim().split('\n')
  return headIn(lines.at(-1) ?? '')
}

const headIn = (line: string): number => {
  if (line === '') return 0
  const known = auditHead.safeParse(parseJson(line))
  if (known.success) return known.data.number
  throw new Error('Its last line is not a signed head, so it is another file. Name one of its own.')
}
