import {
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign,
  timingSafeEqual,
  verify,
} from 'node:crypto'
import { type AuditEntry, type AuditHead, type AuditLink, digestedText, signedHead } from '@berth/contract'
import type { ChainPlace } from '../store/audit-store.ts'

/** What the audit needs of the installation's key ring: keys of its own, by purpose, from the current key or an earlier one. */
export interface AuditKeys {
  readonly current: string
  readonly ids: readonly string[]
  has(id: string): boolean
  derive(purpose: string, id?: string): Buffer
}

const sealPurpose = 'audit seal 1'
const signPurpose = 'audit head 1'

/** The DER of a private Ed25519 key (RFC 8410), up to its 32 bytes. */
const ed25519Prefix = Buffer.from('302e020100300506032b657004220420', 'hex')

/** The digest of an entry at its place. */
export const digestOf = (
  entry: AuditEntry & { sealed?: unknown },
  place: Pick<AuditLink, 'number' | 'previous'>,
): string => createHash('sha256').update(digestedText(entry, place)).digest('hex')

/** Seals entries and signs heads, and checks both. */
export class ChainKeys {
  readonly #keys: AuditKeys
  readonly #derived = new Map<string, { seal: Buffer; sign: KeyObject }>()

  constructor(keys: AuditKeys) {
    this.#keys = keys
  }

  /** The link of an entry that follows after another. */
  link(entry: AuditEntry, after: ChainPlace): AuditLink {
    const place = { number: after.number + 1, previous: after.digest }
    const digest = digestOf(entry, place)
    const keyId = this.#keys.current
    return { ...place, digest, seal: this.#sealOf(digest, keyId).toString('hex'), keyId }
  }

  /** Undefined: the key is gone, so nobody can say. */
  isSealed({ digest, seal, keyId }: Pick<AuditLink, 'digest' | 'seal' | 'keyId'>): boolean | undefined {
    if (!this.#keys.has(keyId)) return undefined
    const expected = this.#sealOf(digest, keyId)
    const given = Buffer.from(seal, 'hex')
    return given.length === expected.length && timingSafeEqual(given, expected)
  }

  head({ number, digest }: ChainPlace, now: number, kind: 'head' | 'anchor' = 'head'): AuditHead {
    const keyId = this.#keys.current
    const head = { number, digest, at: new Date(now).toISOString(), keyId }
    const signature = sign(null, Buffer.from(signedHead(head, kind)), this.#of(keyId).sign)
    return { ...head, signature: signature.toString('base64') }
  }

  /** Undefined: the key is gone, so only who kept its public key can say. */
  isSigned(head: AuditHead, kind: 'head' | 'anchor' = 'head'): boolean | undefined {
    if (!this.#keys.has(head.keyId)) return undefined
    const key = createPublicKey(this.#of(head.keyId).sign)
    return verify(null, Buffer.from(signedHead(head, kind)), key, Buffer.from(head.signature, 'base64'))
  }

  /** Of every key of the ring, as PEM. */
  publicKeys(): { keyId: string; publicKey: string }[] {
    return this.#keys.ids.map((keyId) => {
      const key = createPublicKey(this.#of(keyId).sign)
      return { keyId, publicKey: key.export({ type: 'spki', format: 'pem' }).toString() }
    })
  }

  #sealOf(digest: string, keyId: string): Buffer {
    return createHmac('sha256', this.#of(keyId).seal).update(digest).digest()
  }

  #of(keyId: string) {
    const known = this.#derived.get(keyId)
    if (known !== undefined) return known
    const seed = this.#keys.derive(signPurpose, keyId)
    const key = Buffer.concat([ed25519Prefix, seed])
    const derived = {
      seal: this.#keys.derive(sealPurpose, keyId),
      sign: createPrivateKey({ key, format: 'der', type: 'pkcs8' }),
    }
    this.#derived.set(keyId, derived)
    return derived
  }
}
