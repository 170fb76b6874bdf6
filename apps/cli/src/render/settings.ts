import { type ProjectSettings, settings } from '@berth/contract'
import { safeLine } from '../terminal/safe-text.ts'
import type { Style } from '../terminal/style.ts'
import { padEnd } from '../terminal/width.ts'
import { wrap } from './wrap.ts'

type Values = Pick<ProjectSettings, 'effective' | 'origins'>

/** Settings that count, a line each, and where each comes from. */
export const renderSettings = (
  { effective, origins }: Values,
  { style, columns }: { style: Style; columns: number },
): string => {
  const names = Object.keys(settings.shape)
  const width = Math.max(...names.map((name) => name.length))
  return names
    .map((name) => {
      const value = valueText(name, (effective as Record<string, unknown>)[name])
      const origin = style.dim(`(${origins[name] ?? 'platform'})`)
      return wrap(`  ${padEnd(name, width)} ${safeLine(value)} ${origin}`, columns, width + 3)
    })
    .join('\n')
}

const valueText = (name: string, value: unknown): string => {
  if (Array.isArray(value)) return value.join(', ') || (name === 'allowedModels' ? 'any' : 'none')
  if (typeof value === 'object' && value !== null) return objectText(value)
  return String(value ?? 'default') || 'none'
}

/** Names of what is set up, or all of it when it is not a map of names. */
const objectText = (value: object): string => {
  const parts = Object.entries(value).map(([key, part]) =>
    typeof part === 'string' ? `${key}=${part}` : key,
  )
  return parts.join(', ') || 'none'
}
