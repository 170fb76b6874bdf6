import { generateKeyPairSync } from 'node:crypto'
import { createSecureContext, type SecureContext } from 'node:tls'
import { makeCertificate } from './certificate.ts'

/** Vouches for every host, to whoever trusts it: the programs in this sandbox, and nobody else. */
export interface Authority {
  /** Its certificate: all of it that leaves this process. */
  readonly pem: string
  /** What a server needs to pass for a host; kept for a while. */
  contextFor(host: string): SecureContext
}

export interface AuthorityOptions {
  /** Default: the system's clock; milliseconds since 1970. */
  now?: () => number
}

const day = 86_400_000
/** A runner that lives longer than its authority makes no sessions any more. */
const authorityDays = 1825
const hostDays = 30
/** Hosts whose certificates are kept, and for how long: the sandbox may ask for any number. */
const keptHosts = 200
const keptMs = day

/** Makes an authority that lives in this process alone: its key is never written anywhere. */
export const createAuthority = ({ now = Date.now }: AuthorityOptions = {}): Authority => {
  const own = { name: 'Berth, for one session', ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) }
  const hosts = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const key = hosts.privateKey.export({ type: 'pkcs8', format: 'pem' })
  const dates = (days: number) => ({ from: new Date(now() - day), until: new Date(now() + days * day) })
  const pem = makeCertificate({ subject: own, issuer: own, ...dates(authorityDays) })
  const kept = new Map<string, { context: SecureContext; at: number }>()

  const make = (host: string): SecureContext => {
    const subject = { name: 'Berth session', publicKey: hosts.publicKey }
    const cert = makeCertificate({ subject, issuer: own, host, ...dates(hostDays) })
    return createSecureContext({ key, cert: `${cert}${pem}`, minVersion: 'TLSv1.2' })
  }
  return {
    pem,
    contextFor(host) {
      const known = kept.get(host)
      kept.delete(host)
      const entry =
        known !== undefined && now() - known.at < keptMs ? known : { context: make(host), at: now() }
      kept.set(host, entry)
      const [oldest] = kept.keys()
      if (kept.size > keptHosts && oldest !== undefined) kept.delete(oldest)
      return entry.context
    },
  }
}
