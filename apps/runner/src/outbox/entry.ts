import { z } from 'zod'

/** A fact in the outbox: ready to send, with the blobs that must be stored before it. */
export interface Entry {
  n: number
  /** The fact as JSON. */
  fact: string
  /** Keys of the blobs in the spool that it refers to. */
  blobs: readonly string[]
}

/** The entry as one line of the journal. */
export const toLine = ({ n, fact, blobs }: Entry): string =>
  `{"n":${n},"blobs":${JSON.stringify(blobs)},"fact":${fact}}`

const line = z.object({
  n: z.number().int().positive(),
  blobs: z.array(z.string().regex(/^[0-9a-f]{64}$/)),
  fact: z.looseObject({ n: z.number().int().positive() }),
})

/**
 * The entries of a journal. The last line of a process that was killed may be torn, so reading stops at the first
 * line that is not whole: what comes after a hole could never be appended.
 */
export const parseJournal = (text: string): Entry[] => {
  const entries: Entry[] = []
  for (const item of text.split('\n')) {
    const entry = parseLine(item)
    const last = entries.at(-1)
    if (entry === undefined || (last !== undefined && entry.n !== last.n + 1)) break
    entries.push(entry)
  }
  return entries
}

const parseLine = (text: string): Entry | undefined => {
  try {
    const { n, blobs, fact } = line.parse(JSON.parse(text))
    return fact.n === n ? { n, blobs, fact: JSON.stringify(fact) } : undefined
  } catch {
    return undefined
  }
}
