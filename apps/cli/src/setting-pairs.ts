import { settings } from '@berth/contract'
import { ExitError } from './exit-code.ts'
import { safeLine } from './terminal/safe-text.ts'

/** A setting's value as the API takes it; null takes it away. */
type Value = unknown

/** One `name=value`. */
export interface Pair {
  name: string
  value: string
}

/** Splits `name=value`; refuses what names nothing that `known` has. */
export const splitPair = (text: string, known: readonly string[]): Pair => {
  const at = text.indexOf('=')
  const name = text.slice(0, at)
  if (at > 0 && known.includes(name)) return { name, value: text.slice(at + 1) }
  throw new ExitError(
    'usage',
    `${safeLine(text)} is no setting. Write name=value; the names: ${known.join(', ')}.`,
  )
}

/**
 * Settings from pairs. A value is read as what the setting takes: text, number, true or false, or JSON. Several pairs of a
 * list are its items. An empty value takes the setting back to what counts below.
 */
export const settingValues = (pairs: readonly Pair[]): Record<string, Value> => {
  const values: Record<string, Value> = {}
  for (const { name, value } of pairs) values[name] = settingValue(name, value, values[name])
  return values
}

const settingValue = (name: string, text: string, before: Value): Value => {
  if (text === '') return null
  const schema = settings.shape[name as keyof typeof settings.shape]
  const takes = (value: Value) => schema.safeParse(value).success
  const json = parsed(text)
  const items = Array.isArray(json) ? json : [text]
  const list = [...(Array.isArray(before) ? before : []), ...items]
  const candidates = Array.isArray(before) ? [list] : [text, json, list]
  for (const candidate of candidates) if (candidate !== undefined && takes(candidate)) return candidate
  const issue = schema.safeParse(typeof json === 'string' ? text : (json ?? text)).error?.issues[0]
  throw new ExitError('usage', `${name} can’t be ${safeLine(text)}: ${issue?.message}. Nothing was changed.`)
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
