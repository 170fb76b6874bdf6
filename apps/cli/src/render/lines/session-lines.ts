import { budgetOwner, type EventOf, type StopReason } from '@berth/contract'
import { shortId } from '../../session-ref.ts'
import { safeLine, safeText } from '../../terminal/safe-text.ts'
import { budgetText } from '../amounts.ts'
import { moment } from '../duration.ts'
import { warningsOf } from '../status.ts'
import { firstLine, type Lines, notes, untold, who } from './liner.ts'

/** Stops that nobody asked for, in words. */
const stops: Partial<Record<StopReason, string>> = {
  idle: 'Falls asleep: nothing to do for a while. A prompt wakes it',
  completed: 'Stopping: the work is done',
  budget: 'Stopping: the budget is spent',
  deadline: 'Stopping: the deadline has come',
  turns: 'Stopping: it has had as many turns as it may have',
}

const changes = ({ data }: EventOf<'session.updated'>): string =>
  [
    ...(data.title === undefined ? [] : [`renamed to “${safeLine(data.title)}”`]),
    ...(data.labels === undefined ? [] : ['labels changed']),
  ].join(', ')

const sharing = ({ data: { visibility, shares } }: EventOf<'session.shared'>): string => {
  if (visibility === 'project') return 'Opened to the whole project'
  const others = shares.map(({ kind, id, role }) => `${kind}:${safeLine(id)} (${role})`)
  return others.length === 0 ? 'Made private' : `Private, shared with ${others.join(', ')}`
}

/** The session as a whole: its life, settings, limits. */
export const sessionLines = {
  'session.created': ({ data }, { style }) => {
    const warnings = warningsOf({ modelSource: data.model }).map((word) => ` ${style.yellow(`[${word}]`)}`)
    const from = data.fork === undefined ? '' : `, forked from ${shortId(data.fork.session)}`
    return `${style.bold(safeLine(data.title))}${warnings.join('')}  ${style.dim(`session ${shortId(data.session)} in ${data.project}${from}`)}`
  },
  'session.settings_changed': (event, { style }) => style.dim(`  Settings changed by ${who(event)}`),
  'session.limits_changed': (_, { style, verbose }) =>
    verbose ? style.dim('  Limits changed with the project’s settings') : undefined,
  'session.updated': (event, { style }) => style.dim(`  ${changes(event)} by ${who(event)}`),
  'session.shared': (event, { style }) => style.dim(`  ${sharing(event)} by ${who(event)}`),
  'session.stop_requested': (event, { style }) =>
    style.dim(`  ${stops[event.data.reason] ?? `Stopping (${event.data.reason}, ${who(event)})`}`),
  'session.resume_requested': (event, { style }) => style.dim(`  Resumed by ${who(event)}`),
  'session.deleted': (event, { style }) =>
    style.yellow(`  Deleted by ${who(event)}; purged ${moment(event.data.purgeAt)}`),
  'session.restored': (event, { style }) => style.dim(`  Restored by ${who(event)}`),
  'session.waits': ({ data }, { style }) =>
    style.yellow(`! Waits for room, place ${data.position} in the queue: ${safeText(data.message)}`),
  'session.notice': ({ data }, { style }) => style[notes[data.level]](`  ${safeText(data.message)}`),
  'secrets.shown': ({ data: { secrets } }, { style }) => {
    const told = secrets.map(({ name, variable }) => `${name} (as ${variable})`).join(', ')
    return told === ''
      ? style.dim('  The agent can read no secret of the project any more')
      : style.yellow(`! The agent, and who prompts it, can read these secrets of the project: ${told}`)
  },
  'egress.refused': ({ data }, { style }) =>
    style.yellow(
      `! ${safeText(data.message)}${data.last === true ? ' More that is refused in this turn is not told.' : ''}`,
    ),
  'session.failed': untold('the live view tells it, without what was said before'),
  'budget.reached': ({ data }, { style }) => {
    const { spent } = data
    const words = `The budget of ${safeLine(budgetOwner(data))} is ${spent ? 'spent' : 'nearly spent'}`
    return style[spent ? 'red' : 'yellow'](`! ${words}: ${budgetText(data)}`)
  },
  'generation.started': untold('the steps of the start tell more'),
  'generation.step': untold('the live view tells each step once it ends'),
  'generation.ended': ({ data }, { style }) =>
    data.reason === 'exited'
      ? undefined
      : style.yellow(`! The runner ended (${data.reason}): ${firstLine(data.message)}`),
  'workflow.loaded': ({ data }, { style }) =>
    style.dim(`  Workflow ${safeLine(data.name)} (${safeLine(data.url)} at ${data.commit.slice(0, 8)})`),
  'workflow.failed': ({ data }, { style }) =>
    style.yellow(`! The workflow ${safeLine(data.url)} can’t be used: ${safeText(data.message)}`),
} satisfies Partial<Lines>
