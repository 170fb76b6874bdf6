import type { ApiKey } from '@berth/contract'
import { safeLine } from '../terminal/safe-text.ts'
import type { Style } from '../terminal/style.ts'
import { age } from './duration.ts'
import { renderTable } from './table.ts'

const soonMs = 7 * 86_400_000

/** API keys as a table; what is over or soon will be stands out. */
export const renderKeys = (
  keys: readonly ApiKey[],
  { width, style, now }: { width: number; style: Style; now: number },
): string => {
  const columns = [
    { title: 'ID' },
    { title: 'NAME', shrinks: true, min: 8 },
    { title: 'ROLE' },
    { title: 'STATE', shrinks: true, min: 18 },
    { title: 'LAST USED', right: true },
    { title: 'MADE BY', shrinks: true, optional: true },
  ]
  const rows = keys.map((key) => {
    const { text, bad } = stateOf(key, now)
    return [
      { text: key.id, paint: style.bold },
      { text: safeLine(key.name) },
      { text: key.role ?? '-' },
      { text, paint: bad ? style.yellow : undefined },
      { text: key.lastUsedAt === undefined ? 'never' : age(key.lastUsedAt, now) },
      { text: safeLine(key.createdBy.name ?? key.createdBy.id), paint: style.dim },
    ]
  })
  return renderTable({ columns, rows }, { width, style })
}

const stateOf = (
  { revokedAt, expiresAt, graceUntil }: ApiKey,
  now: number,
): { text: string; bad: boolean } => {
  if (revokedAt !== undefined) return { text: `revoked ${day(revokedAt)}`, bad: true }
  const until = Date.parse(expiresAt)
  if (until <= now) return { text: `expired ${day(expiresAt)}`, bad: true }
  const grace = graceUntil !== undefined && Date.parse(graceUntil) > now ? ', old secret counts too' : ''
  return { text: `until ${day(expiresAt)}${grace}`, bad: until - now < soonMs }
}

const day = (at: string): string => at.slice(0, 10)
