import { preview } from '@berth/contract'

/** Characters of one text of the agent that are kept; what is longer is cut, with a notice. */
export const maxTextLength = 8 * 1024 * 1024

/** Characters of JSON that an event holds of a tool's input, or of a message that no event covers. */
const maxJsonLength = 32 * 1024

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json }

const cutMark = '… (cut)'

/** The beginning of a text, with a mark when something is missing. `length` includes the mark. */
export const clip = (text: string, length: number): string =>
  text.length <= length ? text : `${preview(text, Math.max(0, length - cutMark.length))}${cutMark}`

const shorten = (value: unknown, textLength: number, items: number): Json => {
  if (typeof value === 'string') return clip(value, textLength)
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (typeof value === 'boolean' || value === null || value === undefined) return value ?? null
  if (Array.isArray(value)) {
    const kept: Json[] = value.slice(0, items).map((item) => shorten(item, textLength, items))
    return value.length > items ? [...kept, cutMark] : kept
  }
  if (typeof value !== 'object') return null
  const entries = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .slice(0, items)
  return Object.fromEntries(entries.map(([key, item]) => [clip(key, 200), shorten(item, textLength, items)]))
}

/** A value as JSON of at most `length` characters: long texts and lists are cut, with a mark. Never throws. */
export const boundedJson = (value: unknown, length: number = maxJsonLength): Json => {
  try {
    const whole = JSON.stringify(value)
    if (whole === undefined) return null
    if (whole.length <= length) return JSON.parse(whole)
    for (let textLength = length / 2, items = 1000; textLength >= 16; textLength /= 4, items /= 4) {
      const short = shorten(value, Math.floor(textLength), Math.max(4, Math.floor(items)))
      if (JSON.stringify(short).length <= length) return short
    }
    return clip(whole, length / 2)
  } catch {
    return '(not JSON)'
  }
}
