import { repositoryName, type SessionSummary } from '@berth/contract'
import type { Context } from '../context.ts'
import { shortId } from '../session-ref.ts'
import type { Output } from '../terminal/output.ts'
import { safeLine } from '../terminal/safe-text.ts'
import type { Style } from '../terminal/style.ts'
import { padEnd } from '../terminal/width.ts'
import { diffStatText, resourcesText, usageText } from './amounts.ts'
import { age, moment } from './duration.ts'
import { repositoryStateText } from './repositories.ts'
import { phaseText, warningsOf } from './status.ts'
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

const fieldsOf = (
  session: SessionSummary,
  style: Style,
  { now, place }: Pick<SessionView, 'now' | 'place'>,
): [string, string][] => [
  ['id', session.id],
  ['project', session.project],
  ['phase', `${phaseText(session, style)} ${style.dim(sinceText(session.status.since, now))}`],
  ['activity', safeLine(session.activity)],
  ['why', 'message' in session.status ? safeLine(session.status.message ?? '') : ''],
  ['place', place === undefined ? '' : `${place} in the queue for room`],
  ['uses', resourcesText(session.resources)],
  [
    'model',
    session.modelSource === 'scripted'
      ? 'scripted model: written answers, no real one'
      : safeLine(session.model ?? 'default'),
  ],
  ['sandbox', sandboxText(session)],
  ['owner', safeLine(session.owner.name ?? session.owner.id)],
  ['created', `${moment(session.createdAt)} ${style.dim(agoText(session.createdAt, now))}`],
  [
    'labels',
    safeLine(
      Object.entries(session.labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(' '),
    ),
  ],
  ['turns', String(session.turns)],
  ['last turn', lastTurnText(session)],
  ['usage', usageText(session.usage)],
  ...session.repositories.map((item): [string, string] => [
    'repository',
    [
      safeLine(item.name ?? repositoryName(item.url)),
      repositoryStateText(item, style),
      diffStatText(item.diff, style),
      style.dim(safeLine(`from ${item.url}${item.branch === undefined ? '' : `#${item.branch}`}`)),
    ]
      .filter((part) => part !== '')
      .join('  '),
  ]),
  ['branch', safeLine(session.repositories.find((item) => item.sessionBranch)?.sessionBranch ?? '')],
  ['purged', session.purgeAt === undefined ? '' : moment(session.purgeAt)],
]

const sinceText = (since: string, now: number): string => {
  const text = age(since, now)
  return text === 'now' ? 'just now' : `for ${text}`
}

const agoText = (at: string, now: number): string => {
  const text = age(at, now)
  return text === 'now' ? '(just now)' : `(${text} ago)`
}

const nextText = ({ id, status, requests, deletedAt }: SessionSummary, berth: string): string => {
  const short = shortId(id)
  if (deletedAt !== undefined) return `Take the deletion back: ${berth} rm --restore ${short}`
  if (requests.length > 0) return `Answer with: ${berth} attach ${short}`
  return status.phase === 'failed' ? `Once that is repaired: ${berth} resume ${short}` : ''
}

const lastTurnText = ({ lastTurn }: SessionSummary): string => {
  if (lastTurn === undefined) return ''
  return lastTurn.message === ''
    ? lastTurn.result
    : `${lastTurn.result}: ${safeLine(lastTurn.message.split('\n')[0] ?? '')}`
}

const sandboxText = ({ sandboxed }: SessionSummary): string => {
  if (sandboxed === undefined) return ''
  return sandboxed ? 'yes' : 'NONE: the agent runs unsandboxed, with your rights'
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
