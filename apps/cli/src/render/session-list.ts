import type { SessionSummary } from '@berth/contract'
import { shortId, shortIdLength } from '../session-ref.ts'
import { safeLine } from '../terminal/safe-text.ts'
import { plain, type Style } from '../terminal/style.ts'
import { fit } from '../terminal/width.ts'
import { bytes, costText, diffStatText } from './amounts.ts'
import { age } from './duration.ts'
import { phaseText, warningsOf } from './status.ts'
import { type Column, renderTable } from './table.ts'

const fixed: Column[] = [{ title: 'ID' }, { title: 'PHASE' }]
const flexible: Column[] = [
  { title: 'TITLE', shrinks: true, min: 12 },
  { title: 'ACTIVITY', shrinks: true, min: 10 },
  { title: 'AGE', right: true },
  { title: 'CHANGES' },
  { title: 'OWNER', shrinks: true, min: 6 },
]

/** Shown where there is room for them, and something to show. */
const extraColumns: (Column & { text(session: SessionSummary): string })[] = [
  {
    title: 'DONE',
    optional: true,
    text: ({ todos }) => (todos === undefined ? '' : `${todos.completed}/${todos.total}`),
  },
  { title: 'COST', optional: true, right: true, text: ({ usage }) => costText(usage) },
  {
    title: 'MEMORY',
    optional: true,
    right: true,
    text: ({ resources }) => (resources === undefined ? '' : bytes(resources.memoryBytes)),
  },
]

export interface SessionListView {
  width: number
  style: Style
  now: number
  /** Places in the queue for room, by session. */
  places?: ReadonlyMap<string, number>
}

/** The list of sessions as a table; those that wait for a person stand first. */
export const renderSessionList = (
  sessions: readonly SessionSummary[],
  { width, style, now, places = new Map() }: SessionListView,
): string => {
  const length = shortIdLength(sessions.map((session) => session.id))
  const first = sessions.filter((session) => session.status.phase === 'waiting')
  const rest = sessions.filter((session) => session.status.phase !== 'waiting')
  // Before all that gives way or goes when the terminal is narrow: it must not be overlooked.
  const notes = sessions.map(noteOf)
  const isSame = sessions.length > 1 && new Set(notes).size === 1
  const isNoted = !isSame && notes.some((note) => note !== '')
  const extras = extraColumns.filter(({ text }) => sessions.some((session) => text(session) !== ''))
  const rows = [...first, ...rest].map((session) => [
    { text: shortId(session.id, length), paint: style.bold },
    { text: phaseText(session, plain), paint: () => phaseText(session, style) },
    ...(isNoted ? [{ text: noteOf(session), paint: style.yellow }] : []),
    { text: safeLine(session.title) },
    { text: safeLine(activityText(session, places.get(session.id))), paint: style.dim },
    { text: age(session.createdAt, now) },
    { text: diffStatText(session.diff, plain), paint: () => diffStatText(session.diff, style) },
    { text: safeLine(session.owner.name ?? session.owner.id), paint: style.dim },
    ...extras.map(({ text }) => ({ text: text(session) })),
  ])
  const columns = [...fixed, ...(isNoted ? [{ title: 'NOTE' }] : []), ...flexible, ...extras]
  const table = renderTable({ columns, rows }, { width, style })
  // What all have in common takes a line, not a column.
  const footer = isSame && notes[0] !== '' ? `\n${style.yellow(fit(`All of these: ${notes[0]}`, width))}` : ''
  return table + footer
}

const noteOf = (session: SessionSummary): string =>
  [...warningsOf(session), ...(session.visibility === 'private' ? ['private'] : [])].join(', ')

const activityText = ({ activity }: SessionSummary, place: number | undefined): string =>
  place === undefined ? activity : `Place ${place} in the queue. ${activity}`
