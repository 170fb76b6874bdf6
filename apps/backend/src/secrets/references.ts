import { secretName } from '@berth/contract'

const reference = /\$\{secret:([^}]{0,100})\}/g

/** The names of the secrets that a text refers to as `${secret:NAME}`, in their order; also what can't be a name. */
export const referencesIn = (text: string): string[] =>
  [...text.matchAll(reference)].map(([, name]) => name ?? '')

/** The text with each reference replaced. */
export const fillReferences = (text: string, values: ReadonlyMap<string, string>): string =>
  text.replace(reference, (whole, name: string) => values.get(name) ?? whole)

/** Where a value of settings refers to a secret. */
export interface Reference {
  /** Such as `mcpServers.far.headers.Authorization`. */
  field: string
  name: string
}

/**
 * Where settings refer to secrets: by `${secret:NAME}` in any text, or by a field `secret` (or one whose name ends so) that
 * holds a name alone.
 */
export const referencesOf = (value: unknown, field = ''): Reference[] => {
  if (typeof value === 'string') {
    if (/(^|\.)(secret|[a-z]\w*Secret)$/.test(field) && secretName.safeParse(value).success)
      return [{ field, name: value }]
    return referencesIn(value).map((name) => ({ field, name }))
  }
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) =>
    referencesOf(inner, Array.isArray(value) ? `${field}[${key}]` : field === '' ? key : `${field}.${key}`),
  )
}
