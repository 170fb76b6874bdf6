import { createHash, type KeyObject, randomBytes, sign } from 'node:crypto'
import { isIPv4 } from 'node:net'
import { bits, explicit, integer, octets, oid, sequence, set, tagged, time, utf8, yes } from './der.ts'

export interface CertificateOptions {
  /** Its own key. */
  subject: { name: string; publicKey: KeyObject }
  issuer: { name: string; publicKey: KeyObject; privateKey: KeyObject }
  from: Date
  until: Date
  /** The host that it is for: a name, or an address without brackets. Missing: it is an authority. */
  host?: string
}

const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'))

/** Makes a certificate (X.509, RFC 5280) for a P-256 key, as PEM: an authority that signs hosts alone, or one for a host. */
export const makeCertificate = ({ subject, issuer, from, until, host }: CertificateOptions): string => {
  const serial = randomBytes(16)
  serial[0] = (Number(serial[0]) & 0x7f) | 0x40
  const body = sequence(
    explicit(0, integer(Buffer.from([2]))),
    integer(serial),
    ecdsaWithSha256,
    nameOf(issuer.name),
    sequence(time(from), time(until)),
    nameOf(subject.name),
    spki(subject.publicKey),
    explicit(3, sequence(...extensions({ subject, issuer, host }))),
  )
  const der = sequence(body, ecdsaWithSha256, bits(sign('sha256', body, issuer.privateKey)))
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}

const nameOf = (name: string): Buffer => sequence(set(sequence(oid('2.5.4.3'), utf8(name))))

const spki = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' })

const keyId = (key: KeyObject): Buffer => createHash('sha256').update(spki(key)).digest().subarray(0, 20)

const extension = (id: string, value: Buffer, critical = false): Buffer =>
  sequence(oid(id), ...(critical ? [yes] : []), octets(value))

/** Strict verifiers want all of them. */
const extensions = ({ subject, issuer, host }: Pick<CertificateOptions, 'subject' | 'issuer' | 'host'>) => {
  const ids = [
    extension('2.5.29.14', octets(keyId(subject.publicKey))),
    extension('2.5.29.35', sequence(tagged(0x80, keyId(issuer.publicKey)))),
  ]
  if (host === undefined)
    return [
      // An authority, below which there is no other.
      extension('2.5.29.19', sequence(yes, integer(Buffer.from([0]))), true),
      // It signs certificates and lists of revoked ones.
      extension('2.5.29.15', bits(Buffer.from([0x06]), 1), true),
      ...ids,
    ]
  return [
    extension('2.5.29.19', sequence(), true),
    // Its key makes signatures,
    extension('2.5.29.15', bits(Buffer.from([0x80]), 7), true),
    // as a server.
    extension('2.5.29.37', sequence(oid('1.3.6.1.5.5.7.3.1'))),
    extension('2.5.29.17', sequence(hostName(host))),
    ...ids,
  ]
}

const hostName = (host: string): Buffer => {
  if (isIPv4(host)) return tagged(0x87, Buffer.from(host.split('.').map(Number)))
  return host.includes(':') ? tagged(0x87, ipv6Bytes(host)) : tagged(0x82, Buffer.from(host, 'latin1'))
}

/** The sixteen bytes of an address. */
const ipv6Bytes = (address: string): Buffer => {
  // In the form of URLs it has nothing but groups and at most one gap.
  const plain = new URL(`http://[${address}]/`).hostname.slice(1, -1)
  const [before = '', after] = plain.split('::')
  const groups = (text = '') => text.split(':').filter((group) => group !== '')
  const [head, tail] = [groups(before), groups(after)]
  const gap = Array<string>(after === undefined ? 0 : 8 - head.length - tail.length).fill('0')
  const bytes = [...head, ...gap, ...tail].flatMap((group) => {
    const value = Number.parseInt(group, 16)
    return [value >> 8, value & 0xff]
  })
  return Buffer.from(bytes)
}
