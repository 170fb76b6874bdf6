import { stripVTControlCharacters } from 'node:util'
import { limits } from '@berth/contract'

const hidden = '[hidden]'

/** What looks like a token or a key, whoever made it. */
const looksSecret = [
  /\bbrt_[A-Za-z0-9_-]{8,}/g,
  /\bsk-[A-Za-z0-9_-]{8,}/g,
  /\b(?:gh[pousr]|github_pat|glpat|xox[a-z])[-_][A-Za-z0-9_-]{8,}/g,
  /(?<=\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}/gi,
  // The password of a URL.
  /(?<=:\/\/[^\s/:@]{0,200}:)[^\s/@]{1,500}(?=@)/g,
] as const

const control = /[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu

/** Makes one line fit to be kept: no token, nothing that drives a terminal, and not too long. */
export const createRedactor = (secrets: readonly string[]): ((text: string) => string) => {
  // The longest first, so that one that holds another leaves nothing of itself.
  const exact = secrets.filter((secret) => secret.length >= 6).sort((a, b) => b.length - a.length)
  return (text) => {
    const plain = stripVTControlCharacters(text).toWellFormed().replaceAll('\t', ' ').replace(control, '')
    const known = exact.reduce((line, secret) => line.replaceAll(secret, hidden), plain)
    const safe = looksSecret.reduce((line, pattern) => line.replace(pattern, hidden), known)
    return safe.length <= limits.logLine ? safe : `${safe.slice(0, limits.logLine - 1).toWellFormed()}…`
  }
}
