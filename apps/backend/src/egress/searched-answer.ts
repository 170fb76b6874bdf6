import { pipeline, type Readable, type Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { BerthError } from '@berth/contract'
import { hideValues } from '../mcp/hide-values.ts'

const decoders: Record<string, () => Transform> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
}

/**
 * An answer without these values, unpacked where a host packs it all the same. Throws a BerthError for one that can't be
 * searched.
 */
export const searched = (body: Readable, encoding: string, values: readonly string[]): Readable => {
  const name = encoding.trim().toLowerCase()
  if (name === '' || name === 'identity') return chain(body, [hideValues(values)])
  const decoder = decoders[name]
  if (decoder === undefined)
    throw new BerthError(
      'egress_failed',
      'The host packs its answer in a way in which the project’s secrets could not be found.',
    )
  return chain(body, [decoder(), hideValues(values)])
}

const chain = (body: Readable, stages: Transform[]): Readable => {
  const last = stages.at(-1)
  // Whoever reads the end learns of an error there.
  return last === undefined ? body : (pipeline([body, ...stages], () => undefined) as unknown as Readable)
}
