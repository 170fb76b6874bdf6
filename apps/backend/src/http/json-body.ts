import { isUtf8 } from 'node:buffer'
import { BerthError } from '@berth/contract'

/** The deepest nesting of arrays and objects that is taken: what walks a value may do so by recursion. */
const maxDepth = 100

/** The value of a JSON body; undefined when it is empty. Throws `invalid_json`. */
export const parseJsonBody = (body: Buffer): unknown => {
  if (body.length === 0) return undefined
  if (!isUtf8(body))
    throw new BerthError('invalid_json', 'The body is not valid UTF-8. JSON is sent as UTF-8.')
  let value: unknown
  try {
    value = JSON.parse(body.toString('utf8'))
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new BerthError('invalid_json', `The body is not valid JSON: ${withoutContent(why)}.`)
  }
  if (isDeeper(value, maxDepth))
    throw new BerthError('invalid_json', `The body is nested deeper than ${maxDepth} levels.`)
  return value
}

/** The parser quotes what it stumbled over, which may be a secret: only the place is told. */
const withoutContent = (message: string): string => {
  const place = /at position \d+(?: \(line \d+ column \d+\))?/.exec(message)?.[0]
  return place === undefined ? 'it ends too early, or is no JSON at all' : `unexpected character ${place}`
}

const isDeeper = (value: unknown, levels: number): boolean => {
  let level: object[] = typeof value === 'object' && value !== null ? [value] : []
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > levels) return true
    const below: object[] = []
    for (const item of level)
      for (const child of Array.isArray(item) ? item : Object.values(item))
        if (typeof child === 'object' && child !== null) below.push(child)
    level = below
  }
  return false
}
