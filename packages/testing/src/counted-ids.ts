import { type IdKind, makeId } from '@berth/contract'

/** Ids that are the same in each run: a counter takes the place of chance. */
export class CountedIds {
  #count = 0
  readonly #seed: number
  now: number

  constructor(seed: number, now: number) {
    this.#seed = seed
    this.now = now
  }

  make(kind: IdKind): string {
    const random = new Uint8Array(10)
    new DataView(random.buffer).setUint32(2, ++this.#count)
    new DataView(random.buffer).setUint32(6, this.#seed)
    return makeId(kind, this.now, random)
  }

  uuid(): string {
    return `00000000-0000-7000-8000-${String(++this.#count).padStart(12, '0')}`
  }
}
