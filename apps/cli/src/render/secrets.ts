import type { SealingKey, Secret } from '@berth/contract'
import { safeLine } from '../terminal/safe-text.ts'
import type { Style } from '../terminal/style.ts'
import { age } from './duration.ts'
import { renderTable } from './table.ts'

interface View {
  width: number
  style: Style
}

/** A project's secrets as a table. */
export const renderSecrets = (items: readonly Secret[], { now, ...view }: View & { now: number }): string => {
  if (items.length === 0) return 'The project has no secrets.'
  const columns = [
    { title: 'NAME' },
    { title: 'KIND' },
    { title: 'VERSION', right: true },
    { title: 'SET', right: true },
    { title: 'USED', right: true },
    { title: 'SEEN BY', shrinks: true, min: 10 },
    { title: 'NOTE', shrinks: true, min: 6 },
  ]
  const rows = items.map((item) => [
    { text: item.name, paint: view.style.bold },
    { text: item.kind },
    { text: String(item.version) },
    { text: age(item.setAt, now) },
    { text: item.usedAt === undefined ? 'never' : age(item.usedAt, now) },
    { text: seenBy(item) },
    { text: safeLine(item.note), paint: view.style.dim },
  ])
  return renderTable({ columns, rows }, view)
}

const seenBy = ({ usable, visibleToAgent, variable }: Secret): string => {
  if (!usable) return 'nobody: set it anew'
  return visibleToAgent ? `the agent, as ${variable}` : 'the backend only'
}

/** The keys that seal secrets, and whether they are needed. */
export const renderSealingKeys = (items: readonly SealingKey[], view: View): string => {
  const columns = [
    { title: 'KEY' },
    { title: 'VALUES', right: true },
    { title: 'STATE', shrinks: true, min: 10 },
  ]
  const rows = items.map((item) => [
    { text: item.id, paint: view.style.bold },
    { text: String(item.values) },
    { text: stateOf(item) },
  ])
  return renderTable({ columns, rows }, view)
}

const stateOf = ({ current, present, values }: SealingKey): string => {
  if (!present) return 'missing: what it sealed has to be set anew'
  if (current) return 'current'
  return values === 0 ? 'not needed: may be taken out of the key file' : 'needed until `berth secret rekey`'
}
