import { BerthError } from '@berth/contract'

/** A place in a list as opaque text. */
export const encodeCursor = (place: readonly (string | number)[]): string =>
  Buffer.from(JSON.stringify(place)).toString('base64url')

/** The place that a cursor names. Throws `invalid_cursor` when this list can't have given it. */
export const decodeCursor = (
  cursor: string,
  shape: readonly ('string' | 'number')[],
): (string | number)[] => {
  let place: unknown
  try {
    place = JSON.parse(Buffer.from(cursor, 'base64url').toString())
  } catch {
    place = undefined
  }
  const fits =
    Array.isArray(place) &&
    place.length === shape.length &&
    shape.every((type, index) => typeof place[index] === type)
  if (fits) return place as (string | number)[]
  throw new BerthError('invalid_cursor', 'This list did not give that cursor. List again from the start.')
}
