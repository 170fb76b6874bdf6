import { BerthError } from '@berth/contract'

export type QueryValue = string | number | boolean | readonly (string | number)[] | undefined

/** The address of a route. Parameters are encoded; a list in the query is repeated; what is undefined is left out. */
export const buildUrl = (
  baseUrl: string,
  path: string,
  input: { params?: Record<string, string>; query?: Record<string, QueryValue> },
): string => {
  const filled = path.replace(/:([A-Za-z]+)/g, (_, name: string) => segment(name, input.params?.[name]))
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(input.query ?? {}))
    for (const item of Array.isArray(value) ? value : [value])
      if (item !== undefined) search.append(name, String(item))
  const query = search.size === 0 ? '' : `?${search}`
  return `${baseUrl.replace(/\/+$/, '')}${filled}${query}`
}

/** `.` and `..` would be resolved away by every URL parser and lead to another route. */
const segment = (name: string, value: string | undefined): string => {
  if (value === undefined || value === '' || value === '.' || value === '..')
    throw new BerthError('invalid_input', `The address needs a ${name}.`, [
      { field: `params.${name}`, message: 'expected a name or an id' },
    ])
  return encodeURIComponent(value)
}
