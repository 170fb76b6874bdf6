import { BerthError } from '@berth/contract'
import type { FastifyRequest } from 'fastify'
import type { ByteRange } from '../files/parts.ts'

/** Does one of the listed tags fit? `*` fits every one. */
const fits = (header: string | undefined, etag: string): boolean =>
  header !== undefined &&
  (header.trim() === '*' || header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag))

/** The reader has it already. */
export const isKnown = (request: FastifyRequest, etag: string): boolean =>
  fits(request.headers['if-none-match'], etag)

/**
 * The one range of bytes that is asked for; undefined: all of it. Several ranges, and those in other units, are answered
 * with everything, as HTTP lets us. Throws `range_not_satisfiable`.
 */
export const rangeOf = (
  request: FastifyRequest,
  size: number,
  etag: string | undefined,
): ByteRange | undefined => {
  const { range, 'if-range': ifRange } = request.headers
  const found = /^bytes=(\d*)-(\d*)$/.exec(range ?? '')
  if (found === null || (ifRange !== undefined && ifRange !== etag)) return undefined
  const [, from = '', to = ''] = found
  if (from === '' && to === '') return undefined
  const start = from === '' ? Math.max(0, size - Number(to)) : Number(from)
  const end = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1)
  if (to !== '' && from !== '' && Number(to) < start) return undefined
  if (start >= size || (from === '' && Number(to) === 0))
    throw new BerthError('range_not_satisfiable', `The content has ${size} bytes.`)
  return { start, end }
}
