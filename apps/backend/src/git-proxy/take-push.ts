import { PassThrough, pipeline, type Readable } from 'node:stream'
import { BerthError } from '@berth/contract'
import { PktMalformed, PktSection } from './pkt-line.ts'
import { judgePush, type PushRequest, parsePush, refusalReport } from './push-commands.ts'

/** A push whose commands were read: allowed, with all its bytes, or refused; `report` is for git. */
export type TakenPush = { push: PushRequest } & (
  | { refused: undefined; bytes: Readable }
  | { refused: string; report: Buffer | undefined }
)

export interface TakeOptions {
  branch: string
  commandBytes: number
  judge?(push: PushRequest): Promise<string | undefined>
}

/**
 * Reads a push as far as its commands and decides. One that is refused is read to its end all the same: git reads the report
 * only when it has sent everything. `judge` may refuse what
 * the rules of every session let through. Throws a BerthError for what is no push.
 */
export const takePush = async (
  bytes: Readable,
  { branch, commandBytes, judge }: TakeOptions,
): Promise<TakenPush> => {
  try {
    const section = new PktSection(commandBytes)
    const rest = await readSection(section, bytes)
    const push = parsePush(section.lines)
    // Before a large push git asks with nothing but a flush packet whether it may.
    if (push.commands.length === 0 && rest.length + (await drain(bytes)) > 0)
      throw new PktMalformed('it has a pack, but no command')
    const refused = judgePush(push, branch) ?? (push.commands.length > 0 ? await judge?.(push) : undefined)
    if (refused === undefined) return { push, refused, bytes: onward(section.head, rest, bytes) }
    await drain(bytes)
    return { push, refused, report: refusalReport(push, refused) }
  } catch (error) {
    if (!(error instanceof PktMalformed)) throw error
    throw new BerthError('git_refused', `This is not a push that Berth understands: ${error.message}.`)
  }
}

const readSection = async (section: PktSection, bytes: Readable): Promise<Buffer> => {
  for await (const chunk of bytes.iterator({ destroyOnReturn: false })) {
    const rest = section.take(chunk)
    if (rest !== undefined) return rest
  }
  throw new PktMalformed('it ends before its first flush packet')
}

/** Reads the rest, and counts it. */
const drain = async (bytes: Readable): Promise<number> => {
  let size = 0
  for await (const chunk of bytes) size += chunk.length
  return size
}

const onward = (head: Buffer, rest: Buffer, bytes: Readable): Readable => {
  const all = new PassThrough()
  all.write(head)
  all.write(rest)
  // Whoever reads it learns of an error there.
  return pipeline(bytes, all, () => undefined)
}
