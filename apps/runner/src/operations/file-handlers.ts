import { opendir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { limits, operationResult, type Transfer } from '@berth/contract'
import type { Layout } from '../layout.ts'
import { type FileBox, runJob } from './box.ts'
import { OperationFailed, type OperationHandlers, type OperationKind, type ResultOf } from './handlers.ts'
import { receiveParts, sendParts, type TransferHome } from './parts.ts'

/** Long enough for the largest file, short enough that whoever waits is told. */
const bulkMs = 280_000
const quickMs = 25_000

/** Characters of JSON that a page of a directory may have in an event, and of a link's target. */
const page = { entries: limits.directoryPage, length: 48 * 1024, target: 1000 }

/** What the program inside says, checked: it runs beside what nobody trusts. */
const resultOf = <K extends OperationKind>(kind: K, found: unknown, more: object = {}): ResultOf<K> =>
  operationResult.parse({ ...(found as object), ...more, kind }) as ResultOf<K>

/** Sends home what a job prints. */
const sender = (home: TransferHome, operation: string, signal: AbortSignal) => {
  let transfer: Transfer | undefined
  return {
    take: async (stdout: Readable) => {
      transfer = await sendParts(stdout, operation, { home, signal })
    },
    sent: (): Transfer => {
      if (transfer === undefined) throw new OperationFailed('failed', 'Nothing was sent.')
      return transfer
    },
  }
}

const nothing = async (stdout: AsyncIterable<unknown>) => {
  for await (const _ of stdout);
}

/** Files of the workspace: listed, read, written, removed and packed inside the sandbox. */
export const fileHandlers = (box: FileBox & { home: TransferHome }): OperationHandlers => {
  const { home } = box
  return {
    list: {
      changes: false,
      timeoutMs: quickMs,
      async run({ path, after, recursive }, { signal }) {
        const job = { kind: 'list', path, after, recursive, limits: page } as const
        const found = await runJob(box, { job, signal, timeoutMs: quickMs, take: nothing })
        return resultOf('list', found)
      },
    },
    read: {
      changes: false,
      timeoutMs: bulkMs,
      async run({ path }, { operation, signal }) {
        const job = { kind: 'read', path, maxBytes: limits.upload } as const
        const sending = sender(home, operation, signal)
        const found = await runJob(box, { job, signal, timeoutMs: bulkMs, take: sending.take })
        return resultOf('read', found, { content: sending.sent() })
      },
    },
    write: {
      changes: true,
      timeoutMs: bulkMs,
      async run({ path, content, executable, expected }, { operation, signal }) {
        const { size, sha256 } = content
        const part = `${partPrefix}${operation}`
        const job = { kind: 'write', path, part, size, sha256, executable, expected } as const
        const feed = (stdin: Parameters<typeof receiveParts>[1]) =>
          receiveParts(content, stdin, { home, signal })
        try {
          const found = await runJob(box, { job, signal, timeoutMs: bulkMs, feed, take: nothing })
          return resultOf('write', found)
        } finally {
          // The program inside removes it, unless it was killed.
          await removePart(box.layout, part)
        }
      },
    },
    delete: {
      changes: true,
      timeoutMs: quickMs,
      async run({ path, recursive, expected }, { signal }) {
        const job = { kind: 'delete', path, recursive, expected } as const
        await runJob(box, { job, signal, timeoutMs: quickMs, take: nothing })
        return { kind: 'delete' }
      },
    },
    archive: {
      changes: false,
      timeoutMs: bulkMs,
      async run({ path }, { operation, signal }) {
        const sending = sender(home, operation, signal)
        await runJob(box, { job: { kind: 'archive', path }, signal, timeoutMs: bulkMs, take: sending.take })
        return resultOf('archive', {}, { content: sending.sent() })
      },
    },
  }
}

/** The workspace's own directory is the runner's, and a name in it is removed as it stands, never followed. */
const removePart = ({ outside }: Layout, name: string) =>
  rm(join(outside.workspace, name), { force: true }).catch(() => undefined)

/** Removes what was being written when an earlier runner was killed. */
export const sweepParts = async (layout: Layout): Promise<void> => {
  for await (const { name } of await opendir(layout.outside.workspace))
    if (name.startsWith(partPrefix)) await removePart(layout, name)
}

/** Begins the names of files in the workspace that hold what is being written. */
const partPrefix = '.berth-part-'
