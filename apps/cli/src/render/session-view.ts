import { repositoryName, type SessionSummary } from '@berth/contract'
import { shortId } from '../session-ref.ts'
import { safeLine } from '../terminal/safe-text.ts'
import type { Style } from '../terminal/style.ts'
import { padEnd } from '../terminal/width.ts'
import { diffStatText, usageText } from './amounts.ts'
import { age } from './duration.ts'
import { phaseText, warningsOf } from './status.ts'

/** Everything that a session's summary says, a field a line. */
export const renderSession = (
  session: SessionSummary,
  { style, now }: { style: Style; now: number },
): string => {
  const warnings = warningsOf(session).map((word) => style.yellow(`[${word}]`))
  const head = [style.bold(safeLine(session.title)), ...warnings].join(' ')
  const fields = fieldsOf(session, style, now).filter(([, value]) => value !== '')
  const lines = fields.map(([name, value]) => `  ${style.dim(padEnd(name, 12))} ${value}`)
  return [head, ...lines, ...requestLines(session, style), ...queueLines(session, style)].join('\n')
}

const fieldsOf = (session: SessionSummary, style: Style, now: number): [string, string][] => [
  ['id', session.id],
  ['project', session.project],
  ['phase', `${phaseText(session, style)} ${style.dim(sinceText(session.status.since, now))}`],
  ['activity', safeLine(session.activity)],
  ['why', 'message' in session.status ? safeLine(session.status.message ?? '') : ''],
  [
    'model',
    `${session.model ?? 'default'}${session.modelSource === 'scripted' ? ' (scripted model: no real one answers)' : ''}`,
  ],
  ['sandbox', sandboxText(session)],
  ['owner', safeLine(session.owner.name ?? session.owner.id)],
  ['created', `${session.createdAt} ${style.dim(`(${age(session.createdAt, now)})`)}`],
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
      style.dim(safeLine(`${item.url}${item.branch === undefined ? '' : `#${item.branch}`}`)),
      item.sessionBranch === undefined ? '' : safeLine(item.sessionBranch),
      diffStatText(item.diff, style),
    ]
      .filter((part) => part !== '')
      .join('  '),
  ]),
  ['purged', session.purgeAt ?? ''],
]

const sinceText = (since: string, now: number): string => {
  const text = age(since, now)
  return text === 'now' ? 'just now' : `for ${text}`
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
  return ['', ...lines, `  Answer with: berth attach ${shortId(session.id)}`]
}

const queueLines = (session: SessionSummary, style: Style): string[] =>
  session.queue.length === 0
    ? []
    : [
        '',
        '  Waiting prompts:',
        ...session.queue.map((item) => `  ${style.dim('›')} ${safeLine(item.preview)}`),
      ]
