import { z } from 'zod'

/** What each id prefix names. */
export const idPrefixes = {
  session: 'ses',
  turn: 'trn',
  prompt: 'prm',
  request: 'req',
  block: 'blk',
  operation: 'opn',
  upload: 'upl',
  audit: 'aud',
  key: 'key',
} as const

export type IdKind = keyof typeof idPrefixes

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'
const body = '[0-7][0-9a-hjkmnp-tv-z]{25}'

const idOf = <P extends string>(prefix: P) =>
  z.string().regex(new RegExp(`^${prefix}_${body}$`), `expected an id like ${prefix}_01k…`)

export const sessionId = idOf(idPrefixes.session)
export const turnId = idOf(idPrefixes.turn)
export const promptId = idOf(idPrefixes.prompt)
export const requestId = idOf(idPrefixes.request)
export const blockId = idOf(idPrefixes.block)
export const operationId = idOf(idPrefixes.operation)
export const uploadId = idOf(idPrefixes.upload)
export const keyId = idOf(idPrefixes.key)

/**
 * Makes an id that sorts by time: prefix, underscore, and a UUIDv7 (RFC 9562) in 26 characters of Crockford's
 * base 32 in lower case. Pure: `now` is in milliseconds since 1970, `random` holds at least 10 random bytes.
 */
export const makeId = (kind: IdKind, now: number, random: Uint8Array): string => {
  const bytes = new Uint8Array(16)
  for (let i = 0, rest = now; i < 6; i++, rest = Math.floor(rest / 256)) bytes[5 - i] = rest % 256
  bytes.set(random.subarray(0, 10), 6)
  bytes[6] = 0x70 | (Number(bytes[6]) & 0x0f)
  bytes[8] = 0x80 | (Number(bytes[8]) & 0x3f)
  return `${idPrefixes[kind]}_${encode(bytes)}`
}

/** The milliseconds since 1970 at which the id was made. */
export const idTime = (id: string): number => {
  let ms = 0
  for (const byte of decode(id.slice(-26)).subarray(0, 6)) ms = ms * 256 + byte
  return ms
}

/** The UUID inside an id, in the usual form with dashes. */
export const idToUuid = (id: string): string => formatUuid(decode(id.slice(-26)))

/**
 * The uuid of the message that carries a turn to Claude Code. The first attempt uses the turn's own UUID; a later
 * one needs another, because Claude Code drops a uuid that its transcript has already.
 */
export const turnMessageUuid = (turn: string, attempt: number): string => {
  const bytes = decode(turn.slice(-26))
  bytes[15] = Number(bytes[15]) ^ ((attempt - 1) & 0xff)
  return formatUuid(bytes)
}

const encode = (bytes: Uint8Array): string => {
  let value = 0n
  for (const byte of bytes) value = (value << 8n) | BigInt(byte)
  let text = ''
  for (let i = 0; i < 26; i++, value >>= 5n) text = alphabet.charAt(Number(value & 31n)) + text
  return text
}

const decode = (text: string): Uint8Array => {
  let value = 0n
  for (const char of text) value = (value << 5n) | BigInt(Math.max(0, alphabet.indexOf(char)))
  const bytes = new Uint8Array(16)
  for (let i = 15; i >= 0; i--, value >>= 8n) bytes[i] = Number(value & 255n)
  return bytes
}

const formatUuid = (bytes: Uint8Array): string => {
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
