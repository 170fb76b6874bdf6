import type { SessionSummary } from '@berth/contract'
import type { Context } from '../context.ts'
import { shortId } from '../session-ref.ts'
import type { Output } from '../terminal/output.ts'
import { safeLine } from '../terminal/safe-text.ts'
import type { Style } from '../terminal/style.ts'
import { padEnd } from '../terminal/width.ts'
import { fieldsOf } from './session-fields.ts'
import { warningsOf } from './status.ts'
import { wrap } from './wrap.ts'

export interface SessionView {
  style: Style
  now: number
  columns?: number
  /** How the command is called. */
  berth?: string
  /** Its place in the queue for room. */
  place?: number
}

export const sessionView = ({ now, berth }: Context, { style, columns }: Output): SessionView => ({
  style,
  now: now(),
  columns: columns(),
  berth,
})

/** Everything that a session's summary says, a field a line, and the next step where a person has to take it. */
export const renderSession = (
  session: SessionSummary,
  { style, now, columns = 100, berth = 'berth', place }: SessionView,
): string => {
  const warnings = warningsOf(session).map((word) => style.yellow(`[${word}]`))
  const head = [style.bold(safeLine(session.title)), ...warnings].join(' ')
  const fields = fieldsOf(session, style, { now, place }).filter(([, value]) => value !== '')
  const lines = fields.map(([name, value]) => wrap(`  ${style.dim(padEnd(name, 10))} ${value}`, columns, 13))
  const next = nextText(session, berth)
  return [
    head,
    ...lines,
    ...requestLines(session, style),
    ...queueLines(session, style),
    ...(next === '' ? [] : ['', `  ${next}`]),
  ].join('\n')
}

const nextText = (
  { id, status, requests, deletedAt, blockedBy, turn }: SessionSummary,
  berth: string,
): string => {
  const held = blockedBy ?? turn?.paused?.reason
  const short = shortId(id)
  if (deletedAt !== undefined) return `Take the deletion back: ${berth} rm --restore ${short}`
  if (requests.length > 0) return `Answer with: ${berth} attach ${short}`
  if (held !== undefined) return `What to do: ${berth} doctor ${short}`
  return status.phase === 'failed' ? `Once that is repaired: ${berth} resume ${short}` : ''
}

const requestLines = (session: SessionSummary, style: Style): string[] => {
  if (session.requests.length === 0) return []
  const lines = session.requests.map(
    (item) => `  ${style.yellow('?')} ${safeLine(`${item.title}: ${item.detail}`)}`,
  )
  return ['', ...lines]
}

const queueLines = (session: SessionSummary, style: Style): string[] =>
  session.queue.length === 0
    ? []
    : [
        '',
        '  Waiting prompts:',
        ...session.queue.map((item) => `  ${style.dim('›')} ${safeLine(item.preview)}`),
      ]
