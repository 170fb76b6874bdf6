import type { ProjectQueue } from '@berth/contract'
import { shortId, shortIdLength } from '../session-ref.ts'
import { safeLine } from '../terminal/safe-text.ts'
import type { Style } from '../terminal/style.ts'
import { bytes } from './amounts.ts'
import { age } from './duration.ts'
import { renderTable } from './table.ts'

type Item = ProjectQueue['items'][number]

const reasons: Record<Item['reason'], string> = {
  sessions: 'as many sessions live as may',
  'project-sessions': 'as many sessions of the project live as may',
  'project-memory': 'too little is left of the project’s quota of memory',
  'project-cpus': 'too little is left of the project’s quota of CPU',
  memory: 'too little memory is free',
}

/** What a session waits for, in words. */
export const waitText = (reason: Item['reason']): string => reasons[reason]

/** The queue as a table, and how much room there is. */
export const renderQueue = (
  { items, waiting, capacity }: ProjectQueue,
  { width, style, now }: { width: number; style: Style; now: number },
): string => {
  const room = style.dim(roomText(capacity))
  if (waiting === 0) return `No session waits for room.\n${room}`
  const length = shortIdLength(items.map(({ session }) => session))
  const columns = [
    { title: 'PLACE', right: true },
    { title: 'ID' },
    { title: 'TITLE', shrinks: true, min: 12 },
    { title: 'WAITS', right: true },
    { title: 'OWNER', shrinks: true, min: 6 },
    { title: 'BECAUSE', shrinks: true, min: 12 },
  ]
  const rows = items.map((item) => [
    { text: String(item.position) },
    { text: shortId(item.session, length), paint: style.bold },
    { text: safeLine(item.title) },
    { text: age(item.since, now) },
    { text: safeLine(item.owner.name ?? item.owner.id), paint: style.dim },
    { text: waitText(item.reason), paint: style.dim },
  ])
  const rest = waiting > items.length ? `\n${style.dim(`and ${waiting - items.length} more`)}` : ''
  return `${renderTable({ columns, rows }, { width, style })}${rest}\n${room}`
}

/** `3 of 32 sessions live, 1 of 4 in this project; 2.1 GB of 12 GB of memory are in use`, and what is given of quotas. */
export const roomText = ({
  sessions,
  project,
  memoryBytes,
  projectMemoryMiB: memory,
  projectCpus: cpus,
}: ProjectQueue['capacity']): string => {
  const of = ({ used, limit }: typeof sessions, text: (value: number) => string = String) =>
    limit === undefined ? text(used) : `${text(used)} of ${text(limit)}`
  const given = [memory && `${of(memory)} MiB of memory`, cpus && `${of(cpus)} cores`].filter(Boolean)
  const quotas = given.length === 0 ? '' : `; of the project’s quotas, ${given.join(' and ')} are given`
  return `${of(sessions)} sessions live, ${of(project)} in this project; ${of(memoryBytes, bytes)} of memory are in use${quotas}`
}
