import { readFileSync, statSync } from 'node:fs'
import { type SessionSettings, type Settings, sessionSettings, settings } from '@berth/contract'
import { safeLine } from '../terminal/safe-text.ts'

/** What a person may write for a setting, by its schema. */
export type ValueKind = 'number' | 'boolean' | 'text' | 'list' | 'json'

/** Bytes of a file that a value is read from. */
const longestFile = 4 * 1024 * 1024

type SettingName = keyof Settings

export const settingNames = Object.keys(settings.shape) as SettingName[]

export const sessionSettingNames = Object.keys(sessionSettings.shape) as (keyof SessionSettings)[]

export const isSettingName = (name: string): name is SettingName => Object.hasOwn(settings.shape, name)

const kinds: Partial<Record<string, ValueKind>> = {
  number: 'number',
  boolean: 'boolean',
  string: 'text',
  enum: 'text',
  array: 'list',
}

/** What is looked at of a schema. */
interface SchemaLike {
  type: string
  unwrap?(): SchemaLike
}

const typeOf = (name: SettingName): string => {
  const schema = settings.shape[name] as unknown as SchemaLike
  return schema.unwrap?.().type ?? schema.type
}

export const kindOf = (name: SettingName): ValueKind => kinds[typeOf(name)] ?? 'json'

/** A map by names, of which single entries can be set: `env.NODE_ENV=test`. */
export const isMap = (name: SettingName): boolean => typeOf(name) === 'record'

/** What is wrong with a value, in words for a person. */
export class ValueProblem extends Error {}

/** The text that a person means: `@file` stands for its contents, `@@` for an at sign. */
const textOf = (written: string): string => {
  if (written.startsWith('@@')) return written.slice(1)
  if (!written.startsWith('@')) return written
  const file = written.slice(1)
  try {
    if (statSync(file).size > longestFile) throw new ValueProblem(`${safeLine(file)} is larger than 4 MB`)
    return readFileSync(file, 'utf8').replace(/\n$/, '')
  } catch (error) {
    if (error instanceof ValueProblem) throw error
    throw new ValueProblem(`${safeLine(file)} can’t be read: ${(error as Error).message}`)
  }
}

const factors: Record<string, number> = { '': 1, k: 1000, M: 1_000_000 }

/** `500k` and `2M` are short for many. */
const numberOf = (text: string): number => {
  const [, amount, unit = ''] = /^(-?\d+(?:\.\d+)?)([kM]?)$/.exec(text) ?? []
  if (amount === undefined) throw new ValueProblem(`expected a number, not ${safeLine(text)}`)
  return Number(amount) * (factors[unit] ?? 1)
}

const wordsOf = { list: 'a JSON array, or one text', json: 'JSON' } as const

const json = (text: string, kind: 'list' | 'json'): unknown => {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new ValueProblem(`expected ${wordsOf[kind]}: ${(error as Error).message}`)
  }
}

/** The value that a text stands for; whether it fits is for the schema to say. */
export const readValue = (name: SettingName, written: string): unknown => {
  const text = textOf(written)
  switch (kindOf(name)) {
    case 'number':
      return numberOf(text.trim())
    case 'boolean':
      if (!/^(true|false)$/.test(text.trim()))
        throw new ValueProblem(`expected true or false, not ${safeLine(text)}`)
      return text.trim() === 'true'
    case 'list':
      // No rule and no name begins with a bracket.
      return text.trimStart().startsWith('[') ? json(text, 'list') : [text]
    case 'json':
      return json(text, 'json')
    default:
      return text
  }
}
