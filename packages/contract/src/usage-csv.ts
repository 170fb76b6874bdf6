import type { UsageItem, UsageReport } from './routes/usage.ts'

const columns = [
  'requests',
  'unpriced',
  'inputTokens',
  'outputTokens',
  'cacheReadTokens',
  'cacheWriteTokens',
  'costUsd',
] as const satisfies (keyof UsageItem)[]

/** Groups of usage as a table (RFC 4180): a line each, with a head that names the columns. */
export const usageCsv = (by: UsageReport['by'], items: readonly UsageItem[]): string => {
  const titled = by === 'session'
  const head = [by, ...(titled ? ['title'] : []), ...columns]
  const rows = items.map((item) => [
    text(item.key),
    ...(titled ? [text(item.title ?? '')] : []),
    ...columns.map((column) => String(item[column])),
  ])
  return [head, ...rows].map((cells) => `${cells.join(',')}\r\n`).join('')
}

/**
 * A cell with words that others chose: models, titles, names. A spreadsheet takes what begins so for a formula, which may
 * run programs or send what the table holds; an apostrophe in front makes it words again.
 */
const text = (value: string): string => {
  const harmless = /^\s*[=+\-@\t\r\n]/.test(value) ? `'${value}` : value
  return /[",\r\n]|^\s|\s$/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}
