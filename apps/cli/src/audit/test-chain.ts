import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { type AuditHead, type AuditRecord, digestedText, firstDigest, signedHead } from '@berth/contract'

export const keyPair = () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  return { publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(), privateKey }
}
/** The keys of the Berth whose chains these are. */
export const testBerth = keyPair()

/** A chain as Berth seals it. */
export const chain = (count: number, prefix = 'deed'): AuditRecord[] => {
  const records: AuditRecord[] = []
  let previous = firstDigest
  for (let number = 1; number <= count; number++) {
    const entry = {
      ...{ id: `aud_${number}`, at: '2030-01-01T00:00:00.000Z', action: `${prefix} ${number}` },
      ...{ actor: { kind: 'user' as const, id: 'ada', name: 'Ada' }, result: 'done' as const },
      details: { b: [1, 'ü', null], a: { z: number, y: true } },
    }
    const digest = createHash('sha256').update(digestedText(entry, { number, previous })).digest('hex')
    records.push({ ...entry, sealed: { number, previous, digest, seal: 'f'.repeat(64), keyId: 'k1' } })
    previous = digest
  }
  return records
}

/** A signed head, of the entry that it is given. */
export const headOf = (record: AuditRecord | undefined, { privateKey } = testBerth): AuditHead => {
  const { number = 0, digest = '' } = record?.sealed ?? {}
  const head = { number, digest, at: '2030-01-01T00:01:00.000Z', keyId: 'k1' }
  return { ...head, signature: sign(null, Buffer.from(signedHead(head)), privateKey).toString('base64') }
}
