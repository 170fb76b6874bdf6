import { flushPacket, PktMalformed, pktLine } from './pkt-line.ts'

/** One change of a ref that a push asks for. */
export interface PushCommand {
  ref: string
  /** What the sender takes it to be now; undefined: it is new. */
  from: string | undefined
  /** The new object; undefined: the ref is to go. */
  to: string | undefined
}

export interface PushRequest {
  commands: PushCommand[]
  capabilities: ReadonlySet<string>
}

// Refs may have any bytes: read and written as latin1, they come back as they were.
const command = /^([0-9a-f]{40}|[0-9a-f]{64}) ([0-9a-f]{40}|[0-9a-f]{64}) ([^\0\n]+)\n?$/
const shallow = /^shallow ([0-9a-f]{40}|[0-9a-f]{64})\n?$/

/** Reads the lines before the pack. Throws PktMalformed for any that a server could take for something else. */
export const parsePush = (lines: readonly Buffer[]): PushRequest => {
  const commands: PushCommand[] = []
  let capabilities: ReadonlySet<string> = new Set()
  for (const line of lines) {
    const text = line.toString('latin1')
    if (commands.length === 0 && shallow.test(text)) continue
    const end = commands.length === 0 ? text.indexOf('\0') : -1
    const match = command.exec(end === -1 ? text : text.slice(0, end))
    if (match === null) throw new PktMalformed('a line of the push is not a command')
    if (end !== -1)
      capabilities = new Set(
        text
          .slice(end + 1)
          .trim()
          .split(' '),
      )
    const [, from = '', to = '', ref = ''] = match
    commands.push({ ref, from: objectOf(from), to: objectOf(to) })
  }
  return { commands, capabilities }
}

const objectOf = (name: string): string | undefined => (/^0+$/.test(name) ? undefined : name)

/** Why a push is refused as a whole, or undefined. Pure. */
export const judgePush = ({ commands, capabilities }: PushRequest, branch: string): string | undefined => {
  const own = `refs/heads/${branch}`
  if (capabilities.has('push-options')) return 'push options are not passed on'
  if (commands.some(({ ref }) => ref.startsWith('refs/tags/')))
    return `a session pushes no tags, only its branch ${branch}`
  if (commands.some(({ ref }) => ref !== own)) return `a session pushes only its branch ${branch}`
  if (commands.length > 1) return 'one branch is pushed at a time'
  return commands.some(({ to }) => to === undefined) ? 'a session deletes no branch' : undefined
}

const packetOf = (text: string) => pktLine(Buffer.from(text, 'latin1'))

/**
 * The answer to a push of which nothing was done, in git's own words: it prints the reason beside each ref. Undefined when the
 * sender wants no report.
 */
export const refusalReport = (
  { commands, capabilities }: PushRequest,
  reason: string,
): Buffer | undefined => {
  if (!capabilities.has('report-status') && !capabilities.has('report-status-v2')) return undefined
  const lines = commands.map(({ ref }) => packetOf(`ng ${ref} ${reason}\n`))
  const report = Buffer.concat([packetOf('unpack ok\n'), ...lines, flushPacket])
  if (!capabilities.has('side-band-64k')) return report
  const band = Buffer.from([1])
  const pieces: Buffer[] = []
  for (let at = 0; at < report.length; at += 60_000)
    pieces.push(pktLine(Buffer.concat([band, report.subarray(at, at + 60_000)])))
  return Buffer.concat([...pieces, flushPacket])
}
