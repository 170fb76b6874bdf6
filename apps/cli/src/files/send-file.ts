import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { limits, type WrittenFile } from '@berth/contract'
import type { Context } from '../context.ts'
import { ExitError } from '../exit-code.ts'
import { safeLine } from '../terminal/safe-text.ts'
import { progressOn } from './progress.ts'
import { retrying } from './retrying.ts'

export interface Sending {
  project: string
  session: string
  path: string
  executable?: boolean
  /** Nothing may be at the path. */
  fresh: boolean
  /** Resume a session that is stopped. */
  wake: boolean
}

/** Up to here one request is enough. */
const small = 8 * 1024 * 1024
/** What is sent with one request of an upload. */
const step = 8 * 1024 * 1024
const patienceMs = 330_000

/** Writes bytes at hand with one request. */
export const sendBytes = (
  { client }: Context,
  { project, session, path, executable, fresh, wake }: Sending,
  bytes: Uint8Array,
): Promise<WrittenFile> =>
  client.writeFile({
    params: { project, session },
    query: {
      path,
      wake: wake ? 'true' : 'false',
      ...(executable === undefined
        ? {}
        : { executable: executable ? ('true' as const) : ('false' as const) }),
    },
    headers: fresh ? { 'if-none-match': '*' } : {},
    bytes,
    timeoutMs: patienceMs,
  })

/** Sends a file of this machine: a large one in pieces, going on where an earlier try left off. */
export const sendFile = async (context: Context, sending: Sending, file: string): Promise<WrittenFile> => {
  const handle = await open(file, 'r').catch((error: NodeJS.ErrnoException) => {
    throw new ExitError('usage', `${safeLine(file)} can’t be read: ${error.code ?? error.message}.`)
  })
  try {
    const stat = await handle.stat()
    if (!stat.isFile()) throw new ExitError('usage', `${safeLine(file)} is not a file.`)
    if (stat.size > limits.upload)
      throw new ExitError(
        'refused',
        `${safeLine(file)} is larger than the ${limits.upload} bytes that a file may have.`,
      )
    const executable = sending.executable ?? ((stat.mode & 0o111) !== 0 ? true : undefined)
    const known = { ...sending, executable }
    if (stat.size <= small) return await sendBytes(context, known, await handle.readFile())
    const hash = createHash('sha256')
    for await (const chunk of handle.createReadStream({ autoClose: false, start: 0 })) hash.update(chunk)
    const read = async (at: number, length: number) => {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, at)
      return buffer.subarray(0, bytesRead)
    }
    return await upload(context, known, { size: stat.size, sha256: hash.digest('hex'), read })
  } finally {
    await handle.close()
  }
}

interface Source {
  size: number
  sha256: string
  read(at: number, length: number): Promise<Uint8Array>
}

const upload = async (context: Context, sending: Sending, source: Source): Promise<WrittenFile> => {
  const { client } = context
  const { project, session, path } = sending
  const { size } = source
  const begun = await findOrBegin(context, sending, source)
  const params = { project, session, upload: begun.upload }
  const progress = progressOn(context, `Sending ${safeLine(path)}:`)
  let { offset } = begun
  let stale = false
  try {
    await retrying(async () => {
      if (stale) ({ offset } = await client.getUpload({ params }))
      stale = true
      progress.at(offset, size)
      if (offset >= size) return true
      const bytes = await source.read(offset, Math.min(step, size - offset))
      const headers = { 'upload-offset': String(offset) }
      ;({ offset } = await client.appendUpload({ params, bytes, headers, timeoutMs: 120_000 }))
      stale = false
      return false
    })
  } finally {
    progress.end()
  }
  const wake = sending.wake ? 'true' : 'false'
  return client.finishUpload({ params, query: { wake }, timeoutMs: patienceMs })
}

/** The same file to the same path that an earlier try began, or a new upload. */
const findOrBegin = async (
  { client }: Context,
  { project, session, path, executable, fresh }: Sending,
  { size, sha256 }: Source,
) => {
  const params = { project, session }
  const { items } = await client.listUploads({ params })
  const known = items.find((item) => item.path === path && item.size === size && item.sha256 === sha256)
  if (known !== undefined) return known
  const expected = fresh ? { expected: null } : {}
  return client.createUpload({ params, body: { path, size, sha256, executable, ...expected } })
}
