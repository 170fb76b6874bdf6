import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { KeyMissing, type KeyRing } from './key-ring.ts'

/**
 * Seals text so that only who has the ring opens it: AES-256-GCM under a data key of its own, which is wrapped by a key of
 * the ring. `context` names the place that it is for: what is moved elsewhere doesn't open there.
 */
export interface Cipher {
  seal(plain: string, context: string): string
  /** Throws `KeyMissing`, or `SealBroken` when it was changed, cut or moved. */
  open(sealed: string, context: string): string
  /** The same under the current key: only the wrapping is made anew. The same object back: nothing to do. Throws as `open`. */
  rewrap(sealed: string, context: string): string
}

/** Nobody sealed this text for this place. */
export class SealBroken extends Error {
  constructor() {
    super('What was sealed is damaged, or was sealed for another place.')
  }
}

const form = /^b1\.([A-Za-z0-9_-]{1,32})\.([A-Za-z0-9_-]{80})\.([A-Za-z0-9_-]{38,})$/
/** What everything begins with that is sealed under a key. */
export const beginningOf = (keyId: string): string => `b1.${keyId}.`

const nonceBytes = 12
const tagBytes = 16

/** The id of the key under which a text was sealed. Throws `SealBroken`. */
export const keyIdOf = (sealed: string): string => parts(sealed).id

export const createCipher = (ring: KeyRing): Cipher => {
  const wrap = (dataKey: Buffer, context: string) =>
    encrypt(ring.derive(purpose), dataKey, `${ring.current} ${context}`)
  const unwrap = ({ id, wrapped }: Parts, context: string) => {
    if (!ring.has(id)) throw new KeyMissing(id)
    return decrypt(ring.derive(purpose, id), wrapped, `${id} ${context}`)
  }
  return {
    seal: (plain, context) => {
      const dataKey = randomBytes(32)
      const body = encrypt(dataKey, Buffer.from(plain, 'utf8'), context)
      return `b1.${ring.current}.${wrap(dataKey, context)}.${body}`
    },
    open: (sealed, context) => {
      const known = parts(sealed)
      return decrypt(unwrap(known, context), known.body, context).toString('utf8')
    },
    rewrap: (sealed, context) => {
      const known = parts(sealed)
      if (known.id === ring.current) return sealed
      return `b1.${ring.current}.${wrap(unwrap(known, context), context)}.${known.body}`
    },
  }
}

const purpose = 'seal'

interface Parts {
  id: string
  wrapped: string
  body: string
}

const parts = (sealed: string): Parts => {
  const [, id, wrapped, body] = form.exec(sealed) ?? []
  if (id === undefined || wrapped === undefined || body === undefined) throw new SealBroken()
  return { id, wrapped, body }
}

const encrypt = (key: Buffer, plain: Buffer, context: string): string => {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context, 'utf8'))
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]).toString(
    'base64url',
  )
}

const decrypt = (key: Buffer, text: string, context: string): Buffer => {
  const bytes = Buffer.from(text, 'base64url')
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes), {
    authTagLength: tagBytes,
  }).setAAD(Buffer.from(context, 'utf8'))
  try {
    decipher.setAuthTag(bytes.subarray(-tagBytes))
    return Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()])
  } catch {
    throw new SealBroken()
  }
}
