import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto'
import { type AuditHead, type AuditRecord, digestedText, signedHead } from '@berth/contract'

/** What an exported file proves by itself. */
export interface ExportCheck {
  entries: number
  first: number
  last: number
  /** Places where entries are left out: more than none in the export of a project, or with a filter. */
  gaps: number
  /** Heads whose signature is right and whose entry is in the file as it was signed. */
  heads: number
  /** Heads of entries after its last: it was made before them, or something is missing at its end. */
  beyond: number
  /** Of the file's entries, the last that such a head vouches for: with all before it that have no gap in between. */
  proven: number
  problem?: string
}

/** Checks entries of an export one after another, in constant memory, with public keys and heads that were kept. */
export class ExportChecker {
  readonly #heads: Map<number, AuditHead[]>
  readonly #check: ExportCheck = { entries: 0, first: 0, last: 0, gaps: 0, heads: 0, beyond: 0, proven: 0 }
  #digest: string | undefined

  /** Throws when a head is not signed by one of the keys: it proves nothing then. */
  constructor(heads: readonly AuditHead[], keys: readonly { keyId: string; publicKey: string }[]) {
    const known = new Map(keys.map(({ keyId, publicKey }) => [keyId, createPublicKey(publicKey)]))
    for (const head of heads) checkSignature(head, known.get(head.keyId))
    this.#heads = Map.groupBy(heads, ({ number }) => number)
  }

  /** False: something is wrong, and the rest needs not be looked at. */
  add(record: AuditRecord): boolean {
    const problem = this.#problemOf(record)
    if (problem !== undefined) this.#check.problem = problem
    return problem === undefined
  }

  result(): ExportCheck {
    const { last } = this.#check
    const later = [...this.#heads].filter(([number]) => number > last)
    return { ...this.#check, beyond: later.reduce((sum, [, heads]) => sum + heads.length, 0) }
  }

  #problemOf({ sealed, ...entry }: AuditRecord): string | undefined {
    if (sealed === undefined) return `The entry ${entry.id} is not sealed.`
    const { number, previous, digest } = sealed
    const check = this.#check
    if (number <= check.last) return `Entry ${number} comes after entry ${check.last}.`
    const follows = check.entries === 0 || number === check.last + 1
    if (follows && this.#digest !== undefined && previous !== this.#digest)
      return `Entry ${number} does not follow after entry ${check.last}.`
    const expected = createHash('sha256').update(digestedText(entry, sealed)).digest('hex')
    if (expected !== digest) return `Entry ${number} (${entry.id}) is not what was sealed.`
    for (const head of this.#heads.get(number) ?? []) {
      if (head.digest !== digest) return `Entry ${number} is not the one whose head was signed.`
      check.heads += 1
      check.proven = number
    }
    if (check.entries === 0) check.first = number
    if (!follows) check.gaps += 1
    check.entries += 1
    check.last = number
    this.#digest = digest
    return undefined
  }
}

const checkSignature = (head: AuditHead, key: KeyObject | undefined): void => {
  if (key === undefined)
    throw new Error(`There is no public key ${head.keyId} for the head of entry ${head.number}.`)
  const signature = Buffer.from(head.signature, 'base64')
  if (!verify(null, Buffer.from(signedHead(head)), key, signature))
    throw new Error(`The signature of the head of entry ${head.number} is not right.`)
}
