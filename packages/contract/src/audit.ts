import { z } from 'zod'
import { actor } from './actor.ts'

/** `refused`: somebody who is known was not allowed to, or asked for what can't be. `failed`: a fault of Berth or of what it needs. */
export const auditResult = z.enum(['done', 'refused', 'failed'])
export type AuditResult = z.infer<typeof auditResult>

const name = z.string().max(300)
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'expected a SHA-256 in hexadecimal')

/** Who did what, to what, from where, and what came of it. */
const auditEntry = z.object({
  /** `aud_…`. */
  id: z.string().max(100),
  at: z.iso.datetime(),
  actor: actor.extend({ id: name, name: name.optional() }),
  /** The operation of the API, such as `createSession`, or a word such as `secret.used`. */
  action: name,
  project: name.optional(),
  session: name.optional(),
  object: z.object({ kind: name, id: name }).optional(),
  result: auditResult,
  /** Why it was refused, or how it failed. */
  code: name.optional(),
  /** Where the request came from. */
  address: name.optional(),
  requestId: name.optional(),
  details: z.record(z.string(), z.unknown()).optional(),
})

export type AuditEntry = z.infer<typeof auditEntry>

/** An entry's place in the chain. */
export const auditLink = z.object({
  /** 1, 2, 3 … in the order of sealing. */
  number: z.number().int().positive(),
  /** The digest of the entry before; 64 zeros for the first. */
  previous: sha256,
  /** SHA-256 over the digest before, the number, and the entry as canonical JSON. */
  digest: sha256,
  /** HMAC-SHA256 of the digest: made and checked with a key that only Berth has. */
  seal: sha256,
  keyId: z.string().max(100),
})

export type AuditLink = z.infer<typeof auditLink>

/** An entry as it is told: with its place in the chain once it is sealed, which takes a second. */
export const auditRecord = auditEntry.extend({ sealed: auditLink.optional() })
export type AuditRecord = z.infer<typeof auditRecord>

/** What the chain was at a time, signed: kept elsewhere, it shows later whether the chain is still the same. */
export const auditHead = z.object({
  number: z.number().int().nonnegative(),
  digest: sha256,
  at: z.iso.datetime(),
  keyId: z.string().max(100),
  /** Ed25519 over `signedHead`, in base64. */
  signature: z.string().max(200),
})

export type AuditHead = z.infer<typeof auditHead>

/** What is wrong with a chain, where it first is. */
export const auditBreak = z.object({
  /** The entry at which it shows. */
  number: z.number().int().nonnegative(),
  kind: z.enum(['missing', 'changed', 'unlinked', 'seal', 'head', 'truncated', 'anchor']),
  message: z.string().max(1000),
})

export type AuditBreak = z.infer<typeof auditBreak>

/** What a check of the whole chain found. */
export const auditVerification = z.object({
  ok: z.boolean(),
  /** The first entry that is kept, and the last that was checked; 0: none. */
  first: z.number().int().nonnegative(),
  last: z.number().int().nonnegative(),
  /** The digest of the last. */
  digest: sha256,
  entries: z.number().int().nonnegative(),
  /** Heads that agree with the chain, the given ones included. */
  heads: z.number().int().nonnegative(),
  /** Given heads of entries that are not kept any more, so that nothing can be said of them. */
  olderHeads: z.number().int().nonnegative(),
  /** Seals and signatures that can't be checked, because their key is not in the key file any more. */
  unchecked: z.number().int().nonnegative(),
  problem: auditBreak.optional(),
})

export type AuditVerification = z.infer<typeof auditVerification>

/**
 * JSON with sorted keys and without spaces, as RFC 8785 has it for what entries hold: the same for the same value, whoever
 * writes it.
 */
const canonicalJson = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const given = Object.entries(value).filter(([, item]) => item !== undefined)
  const sorted = given.sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${sorted.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`
}

/** What stands before the first entry. */
export const firstDigest = '0'.repeat(64)

/** The text whose SHA-256 is an entry's digest. */
export const digestedText = (
  entry: AuditEntry & { sealed?: unknown },
  { number, previous }: Pick<AuditLink, 'number' | 'previous'>,
): string => {
  const { sealed: _, ...told } = entry
  return `berth audit entry 1\n${previous}\n${number}\n${canonicalJson(told)}`
}

/** The text that a head's signature is over; an anchor says that what came before it was removed when it was old. */
export const signedHead = (
  { number, digest, at, keyId }: Omit<AuditHead, 'signature'>,
  kind: 'head' | 'anchor' = 'head',
): string => `berth audit ${kind} 1\n${canonicalJson({ number, digest, at, keyId })}`
