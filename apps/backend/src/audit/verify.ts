import { type AuditBreak, type AuditHead, type AuditVerification, firstDigest } from '@berth/contract'
import type { AuditStore, ChainPlace, SealedRecord } from '../store/audit-store.ts'
import { type ChainKeys, digestOf } from './chain-keys.ts'

export interface VerifyOptions {
  store: AuditStore
  keys: ChainKeys
}

/** Entries that are looked at at once. */
const pageSize = 500
/** Old entries may be removed while the chain is read: then it is read again. */
const attempts = 3

/**
 * Reads the whole chain and computes everything again: each entry's digest, link and seal, the signatures of heads and anchor,
 * and whether heads that were kept elsewhere are still part of it. Stops at the first thing that is wrong.
 */
export const verifyAudit = async (
  options: VerifyOptions,
  kept: readonly AuditHead[] = [],
): Promise<AuditVerification> => {
  for (let attempt = 1; ; attempt++) {
    const check = new ChainCheck(options, kept)
    const found = await check.run()
    const { anchor } = await options.store.auditChain()
    if (found.problem === undefined || attempt === attempts) return found
    if ((anchor?.number ?? 0) === check.start) return found
  }
}

class Broken extends Error {
  readonly found: AuditBreak
  constructor(number: number, kind: AuditBreak['kind'], message: string) {
    super(message)
    this.found = { number, kind, message }
  }
}

class ChainCheck {
  readonly #options: VerifyOptions
  readonly #kept: readonly AuditHead[]
  #at: ChainPlace = { number: 0, digest: firstDigest }
  #unchecked = 0
  #heads = 0
  #olderHeads = 0
  /** The last entry that is not there any more. */
  start = 0

  constructor(options: VerifyOptions, kept: readonly AuditHead[]) {
    this.#options = options
    this.#kept = [...kept].sort((a, b) => a.number - b.number)
  }

  async run(): Promise<AuditVerification> {
    const problem = await this.#chain().then(
      () => undefined,
      (error) => {
        if (error instanceof Broken) return error.found
        throw error
      },
    )
    const { number: last, digest } = this.#at
    const entries = last - this.start
    const first = entries === 0 ? 0 : this.start + 1
    const counts = { heads: this.#heads, olderHeads: this.#olderHeads, unchecked: this.#unchecked }
    return { ok: problem === undefined, first, last, digest, entries, ...counts, problem }
  }

  async #chain(): Promise<void> {
    const { store } = this.#options
    const { tip, anchor } = await store.auditChain()
    if (anchor !== undefined) this.#begin(anchor)
    const kept = this.#signedKept()
    while (this.#at.number < tip.number) {
      const after = this.#at.number
      const { items, last } = await store.auditSealed({}, { after, limit: pageSize })
      const upTo = Math.min(last, tip.number)
      const heads = [
        ...(await store.auditHeadsOf({ after, upTo })),
        ...kept.filter(({ number }) => number > after && number <= upTo),
      ]
      this.#page(
        items.filter(({ sealed }) => sealed.number <= upTo),
        heads,
      )
      if (this.#at.number < upTo) throw missing(this.#at.number + 1)
    }
    if (this.#at.digest !== tip.digest)
      throw new Broken(tip.number, 'truncated', 'The chain does not end where its last seal was.')
    this.#beyond([
      ...(await store.auditHeadsOf({ after: tip.number, upTo: Number.MAX_SAFE_INTEGER })),
      ...kept,
    ])
  }

  /** From the anchor on, which only Berth can have signed. */
  #begin(anchor: AuditHead): void {
    if (this.#count(this.#options.keys.isSigned(anchor, 'anchor')) === false)
      throw new Broken(anchor.number, 'anchor', 'The signature of the chain’s beginning is not right.')
    this.#at = { number: anchor.number, digest: anchor.digest }
    this.start = anchor.number
  }

  /** Kept heads of entries that are still there. */
  #signedKept(): AuditHead[] {
    const fresh = this.#kept.filter(({ number }) => number > this.start)
    this.#olderHeads = this.#kept.length - fresh.length
    return fresh
  }

  #page(items: readonly SealedRecord[], heads: readonly AuditHead[]): void {
    const byNumber = Map.groupBy(heads, ({ number }) => number)
    for (const item of items) {
      this.#entry(item)
      for (const head of byNumber.get(item.sealed.number) ?? []) this.#head(head)
    }
  }

  #entry(item: SealedRecord): void {
    const { number, previous, digest } = item.sealed
    const expected = this.#at.number + 1
    if (number !== expected) throw missing(expected)
    if (previous !== this.#at.digest)
      throw new Broken(number, 'unlinked', `Entry ${number} does not follow after entry ${number - 1}.`)
    if (digestOf(item, { number, previous }) !== digest)
      throw new Broken(number, 'changed', `Entry ${number} (${item.id}) is not what was sealed.`)
    if (this.#count(this.#options.keys.isSealed(item.sealed)) === false)
      throw new Broken(number, 'seal', `The seal of entry ${number} (${item.id}) was not made by Berth.`)
    this.#at = { number, digest }
  }

  #head(head: AuditHead): void {
    if (this.#count(this.#options.keys.isSigned(head)) === false)
      throw new Broken(head.number, 'head', `The head of entry ${head.number} was not signed by Berth.`)
    if (head.digest !== this.#at.digest)
      throw new Broken(
        head.number,
        'head',
        `The chain was another one when its head at entry ${head.number} was signed.`,
      )
    this.#heads += 1
  }

  /** Heads of entries that are not there. */
  #beyond(heads: readonly AuditHead[]): void {
    const beyond = heads.find(({ number }) => number > this.#at.number)
    if (beyond === undefined) return
    const signed = this.#options.keys.isSigned(beyond)
    if (signed === false)
      throw new Broken(beyond.number, 'head', `The head of entry ${beyond.number} was not signed by Berth.`)
    const message = `There was an entry ${beyond.number}; the chain ends at ${this.#at.number}.`
    throw new Broken(this.#at.number + 1, 'truncated', message)
  }

  #count(right: boolean | undefined): boolean | undefined {
    if (right === undefined) this.#unchecked += 1
    return right
  }
}

const missing = (number: number) => new Broken(number, 'missing', `Entry ${number} is missing.`)
