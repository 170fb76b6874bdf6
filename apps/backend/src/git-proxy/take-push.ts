import { BerthError } from '@berth/contract'
import { PktMalformed, PktSection } from './pkt-line.ts'
import { judgePush, parsePush, refusalReport } from './push-commands.ts'

/** A push whose commands were read: allowed, with all its bytes, or refused, with the report for git. */
export type TakenPush =
  | { report: undefined; bytes: AsyncGenerator<Buffer> }
  | { report: Buffer; bytes?: undefined }

/**
 * Reads a push as far as its commands and decides. One that is refused is read to its end all the same: git reads the report
 * only when it has sent everything. Throws a BerthError for what is no push.
 */
export const takePush = async (
  bytes: AsyncGenerator<Buffer>,
  { branch, commandBytes }: { branch: string; commandBytes: number },
): Promise<TakenPush> => {
  try {
    const section = new PktSection(commandBytes)
    const rest = await readSection(section, bytes)
    const push = parsePush(section.lines)
    // Before a large push git asks with nothing but a flush packet whether it may.
    if (push.commands.length === 0) await refuseMore(rest, bytes)
    const reason = judgePush(push, branch)
    if (reason === undefined) return { report: undefined, bytes: all(section.head, rest, bytes) }
    for await (const _ of bytes);
    const report = refusalReport(push, reason)
    if (report === undefined) throw new BerthError('git_refused', `The push is refused: ${reason}.`)
    return { report }
  } catch (error) {
    if (!(error instanceof PktMalformed)) throw error
    throw new BerthError('git_refused', `This is not a push that Berth understands: ${error.message}.`)
  }
}

const readSection = async (section: PktSection, bytes: AsyncGenerator<Buffer>): Promise<Buffer> => {
  for (let next = await bytes.next(); next.done !== true; next = await bytes.next()) {
    const rest = section.take(next.value)
    if (rest !== undefined) return rest
  }
  throw new PktMalformed('it ends before its first flush packet')
}

const refuseMore = async (rest: Buffer, bytes: AsyncGenerator<Buffer>): Promise<void> => {
  const next = rest.length > 0 ? { done: false } : await bytes.next()
  if (next.done !== true) throw new PktMalformed('it has a pack, but no command')
}

async function* all(head: Buffer, rest: Buffer, bytes: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  yield head
  if (rest.length > 0) yield rest
  yield* bytes
}
