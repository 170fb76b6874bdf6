import { crc32 } from 'node:zlib'
import { makeId } from '@berth/contract'

const prefix = 'brt_key_'
const secretBytes = 32
const pattern = /^brt_key_([0-7][0-9a-hjkmnp-tv-z]{25})_([A-Za-z0-9_-]{43})([0-9a-f]{8})$/

/**
 * A new key: its id, and its secret `brt_key_<id>_<43 random characters><checksum>`. By form and checksum a scanner knows one
 * without asking Berth, and Berth knows what is none without asking its store.
 */
export const makeApiKey = (
  now: number,
  random: (bytes: number) => Uint8Array,
): { id: string; secret: string } => {
  const id = makeId('key', now, random(10))
  return { id, secret: secretOf(id, random) }
}

/** Another secret for a key. */
export const secretOf = (id: string, random: (bytes: number) => Uint8Array): string => {
  const text = `${prefixOf(id)}_${Buffer.from(random(secretBytes)).toString('base64url')}`
  return text + checksum(text)
}

/** How the secrets of a key begin: what may be shown. */
export const prefixOf = (id: string): string => `${prefix}${id.slice('key_'.length)}`

/** The id in a secret; undefined: this is no API key. */
export const keyIdIn = (secret: string): string | undefined => {
  const [, id] = pattern.exec(secret) ?? []
  const body = secret.slice(0, -8)
  return id === undefined || checksum(body) !== secret.slice(-8) ? undefined : `key_${id}`
}

const checksum = (text: string): string => crc32(text).toString(16).padStart(8, '0')
