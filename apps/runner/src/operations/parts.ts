import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import type { RunnerClient } from '@berth/client'
import { limits, type Transfer } from '@berth/contract'
import { OperationFailed } from './handlers.ts'

export type TransferHome = Pick<RunnerClient, 'getTransfer' | 'putTransfer'>

interface Way {
  home: TransferHome
  signal: AbortSignal
}

/** Sends a stream home in parts, holding one of them; rejects with `too-large` beyond the limit. */
export const sendParts = async (content: Readable, of: string, { home, signal }: Way): Promise<Transfer> => {
  const whole = createHash('sha256')
  const parts: string[] = []
  let size = 0
  const send = async (bytes: Buffer) => {
    const blob = createHash('sha256').update(bytes).digest('hex')
    // What repeats, such as zeros, is there already.
    if (!parts.includes(blob)) await home.putTransfer({ transfer: of, blob }, bytes, { signal })
    parts.push(blob)
  }
  let held: Buffer[] = []
  let length = 0
  for await (const chunk of content as AsyncIterable<Buffer>) {
    whole.update(chunk)
    size += chunk.length
    if (size > limits.upload)
      throw new OperationFailed(
        'too-large',
        `It is larger than the ${limits.upload} bytes that can be sent at once.`,
      )
    for (let rest = chunk; rest.length > 0; ) {
      const piece = rest.subarray(0, limits.transferPart - length)
      rest = rest.subarray(piece.length)
      held.push(piece)
      length += piece.length
      if (length < limits.transferPart) continue
      await send(Buffer.concat(held))
      held = []
      length = 0
    }
  }
  if (length > 0) await send(Buffer.concat(held))
  return { of, size, parts, sha256: whole.digest('hex') }
}

/** Writes what was sent into a stream, part after part, and ends it. */
export const receiveParts = async (
  { of, parts }: Transfer,
  into: Writable,
  { home, signal }: Way,
): Promise<void> => {
  try {
    for (const blob of parts) {
      const { stream } = await home.getTransfer({ transfer: of, blob }, { signal })
      for await (const chunk of stream) if (!into.write(chunk)) await drained(into)
    }
  } finally {
    into.end()
  }
}

/** Whoever reads may have ended: then nothing drains any more. */
const drained = async (into: Writable): Promise<void> => {
  if (into.destroyed) throw new OperationFailed('failed', 'The file could not be written.')
  const ended = new AbortController()
  const { signal } = ended
  try {
    await Promise.race([once(into, 'drain', { signal }), once(into, 'close', { signal })])
  } finally {
    ended.abort()
  }
}
