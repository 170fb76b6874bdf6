import { repositoryName, type SessionSummary } from '@berth/contract'
import { safeLine } from '../terminal/safe-text.ts'
import type { Style } from '../terminal/style.ts'
import { bytes, diffStatText, resourcesText, usageText } from './amounts.ts'
import { age, moment } from './duration.ts'
import { repositoryStateText } from './repositories.ts'
import { phaseText } from './status.ts'

/** Everything that a summary says, as names and values; an empty value is not shown. */
export const fieldsOf = (
  session: SessionSummary,
  style: Style,
  { now, place }: { now: number; place?: number | undefined },
): [string, string][] => [
  ['id', session.id],
  ['project', session.project],
  ['phase', `${phaseText(session, style)} ${style.dim(sinceText(session.status.since, now))}`],
  ['activity', safeLine(session.activity)],
  ['why', 'message' in session.status ? safeLine(session.status.message ?? '') : ''],
  ['waits for', blockedText(session)],
  ['place', place === undefined ? '' : `${place} in the queue for room`],
  ['uses', resourcesText(session.resources)],
  [
    'model',
    session.modelSource === 'scripted'
      ? 'scripted model: written answers, no real one'
      : safeLine(session.model ?? 'default'),
  ],
  ['workflow', workflowText(session)],
  ['mcp', mcpText(session, style)],
  ['sandbox', sandboxText(session)],
  ['secrets', secretsText(session)],
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
  ['forked', session.fork === undefined ? '' : `from ${session.fork.session}`],
  ['turns', String(session.turns)],
  ['last turn', lastTurnText(session)],
  ['to do', todoText(session)],
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
  ['checkpoint', checkpointText(session, now)],
  ['purged', session.purgeAt === undefined ? '' : moment(session.purgeAt)],
]

const secretsText = ({ agentSecrets = [] }: SessionSummary): string =>
  agentSecrets.length === 0
    ? ''
    : `visible to the agent: ${agentSecrets.map(({ name, variable }) => `${name} as ${variable}`).join(', ')}`

const sinceText = (since: string, now: number): string => {
  const text = age(since, now)
  return text === 'now' ? 'just now' : `for ${text}`
}

const agoText = (at: string, now: number): string => {
  const text = age(at, now)
  return text === 'now' ? '(just now)' : `(${text} ago)`
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

const blockedText = ({ blockedBy, turn }: SessionSummary): string => {
  if (turn?.paused !== undefined)
    return safeLine(`The turn is paused (${turn.paused.reason}). ${turn.paused.message}`)
  return blockedBy === undefined ? '' : `somebody who raises its ${blockedBy} limit`
}

const workflowText = ({ workflow }: SessionSummary): string =>
  workflow === undefined
    ? ''
    : safeLine(`${workflow.name} (${workflow.url} at ${workflow.commit.slice(0, 8)})`)

const mcpText = ({ mcp = [] }: SessionSummary, style: Style): string =>
  mcp
    .map(({ name, status }) =>
      status === 'connected' ? safeLine(name) : style.yellow(safeLine(`${name} (${status})`)),
    )
    .join(', ')

const todoText = ({ todos }: SessionSummary): string => {
  if (todos === undefined) return ''
  const current = todos.current === undefined ? '' : `, now: ${safeLine(todos.current)}`
  return `${todos.completed} of ${todos.total} done${current}`
}

const checkpointText = ({ checkpoint }: SessionSummary, now: number): string =>
  checkpoint === undefined
    ? ''
    : `${checkpoint.number}, ${bytes(checkpoint.size)} ${agoText(checkpoint.at, now)}`
