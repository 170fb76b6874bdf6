import { Transform } from 'node:stream'

/** What a git server said of a push. */
export interface PushReport {
  /** Missing: the report came to no end, or says nothing of the ref. */
  ok: boolean | undefined
  reason?: string
}

/** Bytes of an answer in which the report has to stand. */
const longest = 1024 * 1024

/** Passes a git server's answer to a push on as it comes, and reads the report in it. `ended` is waited for at its end. */
export const reportReader = (ref: string, ended: (report: PushReport) => Promise<void>): Transform => {
  const chunks: Buffer[] = []
  let size = 0
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (size < longest) chunks.push(chunk)
      size += chunk.length
      done(null, chunk)
    },
    flush(done) {
      const report: PushReport = size > longest ? { ok: undefined } : readReport(Buffer.concat(chunks), ref)
      ended(report).then(
        () => done(),
        () => done(),
      )
    },
  })
}

/** Reads `report-status`, alone or in the first band of a side band. Pure. */
export const readReport = (answer: Buffer, ref: string): PushReport => {
  const direct = packets(answer)
  const isBanded = direct.some((packet) => packet[0] !== undefined && packet[0] <= 3)
  const lines = isBanded
    ? packets(Buffer.concat(direct.filter((packet) => packet[0] === 1).map((packet) => packet.subarray(1))))
    : direct
  const texts = lines.map((line) => line.toString('latin1').replace(/\n$/, ''))
  if (texts.includes(`ok ${ref}`)) return { ok: texts.includes('unpack ok') }
  const refusal = texts.find((text) => text.startsWith(`ng ${ref} `))
  const unpack = texts.find((text) => text.startsWith('unpack ') && text !== 'unpack ok')
  if (refusal === undefined && unpack === undefined) return { ok: undefined }
  const reason = refusal?.slice(`ng ${ref} `.length) ?? unpack ?? ''
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what goes
  return { ok: false, reason: reason.replace(/[\x00-\x1f\x7f-\x9f]+/g, ' ').slice(0, 300) }
}

const packets = (bytes: Buffer): Buffer[] => {
  const found: Buffer[] = []
  for (let at = 0; at + 4 <= bytes.length; ) {
    const length = Number.parseInt(bytes.toString('latin1', at, at + 4), 16)
    if (Number.isNaN(length)) return found
    if (length > 4) found.push(bytes.subarray(at + 4, at + length))
    at += Math.max(length, 4)
  }
  return found
}
