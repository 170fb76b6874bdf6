import { safeLine, safeText } from '../terminal/safe-text.ts'
import type { Style } from '../terminal/style.ts'
import { renderTable } from './table.ts'

/** Settings as the API tells them: of a project, or of a session. */
export interface SettingsView {
  own: object
  effective: object
  origins: Record<string, string>
}

const text = (value: unknown): string => {
  if (value === undefined) return ''
  if (typeof value === 'string') return value === '' ? '""' : value
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value.join(', ') || '[]'
  return JSON.stringify(value)
}

/** Settings as a table: what counts, what is set here itself, and where it comes from. */
export const renderSettings = (
  names: readonly string[],
  { own, effective, origins }: SettingsView,
  { width, style }: { width: number; style: Style },
): string => {
  const of = (values: object, name: string) => safeLine(text((values as Record<string, unknown>)[name]))
  const rows = names.map((name) => {
    const isOwn = Object.hasOwn(own, name)
    return [
      { text: name, paint: isOwn ? style.bold : style.dim },
      { text: of(effective, name) || '-' },
      { text: origins[name] ?? '-', paint: style.dim },
      { text: isOwn ? of(own, name) : '', paint: style.dim },
    ]
  })
  const columns = [
    { title: 'SETTING' },
    { title: 'COUNTS', shrinks: true, min: 12 },
    { title: 'FROM' },
    { title: 'OWN', shrinks: true, min: 8 },
  ]
  return renderTable({ columns, rows }, { width, style })
}

/** One value alone, for a script or to be read whole. */
export const renderValue = (value: unknown): string =>
  typeof value === 'string'
    ? safeText(value)
    : value === undefined
      ? ''
      : safeText(JSON.stringify(value, null, 2))
