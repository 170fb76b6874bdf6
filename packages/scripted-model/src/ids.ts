import { hash } from 'node:crypto'

const alphabet = '0123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const length = 22

function encode(hex: string): string {
  let rest = BigInt(`0x${hex}`)
  let text = ''
  while (text.length < length) {
    text += alphabet[Number(rest % BigInt(alphabet.length))] ?? ''
    rest /= BigInt(alphabet.length)
  }
  return text
}

/** Makes the ids of one answer: `msg_01…`, `toolu_01…`, `req_01…`. */
export type IdMaker = (prefix: 'msg' | 'toolu' | 'req', part?: number) => string

/**
 * Ids follow from the request's bytes and its number on this server: the same run gives the same ids, a
 * repeated request others, and a conversation that goes on after a restart never meets an old one again.
 */
export function idsFor(body: Uint8Array, serial: number): IdMaker {
  const seed = hash('sha1', body)
  return (prefix, part = 0) => `${prefix}_01${encode(hash('sha256', `${prefix}:${part}:${serial}:${seed}`))}`
}
