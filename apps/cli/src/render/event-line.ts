import type { AnyEvent, Event, EventOf } from '@berth/contract'
import { shortId } from '../session-ref.ts'
import { safeLine, safeText } from '../terminal/safe-text.ts'
import type { Style } from '../terminal/style.ts'
import { diffStatText } from './amounts.ts'
import { duration, moment } from './duration.ts'
import { warningsOf } from './status.ts'

type Liners = { [T in Event['type']]?: (event: EventOf<T>, style: Style) => string | undefined }

const who = ({ actor }: AnyEvent) => safeLine(actor.name ?? actor.id)

/** The rest of such a message is the end of a log: `berth attach --json` has it. */
const firstLine = (text: string) => safeLine(text.split('\n')[0] ?? '')

const results = {
  success: ['green', '✓ done'],
  error: ['red', '✗ ended with an error'],
  interrupted: ['yellow', '■ interrupted'],
  failed: ['red', '✗ failed'],
} as const

const notes = { info: 'dim', warning: 'yellow', error: 'red' } as const

const liners: Liners = {
  'session.created': ({ data }, style) => {
    const warnings = warningsOf({ modelSource: data.model }).map((word) => ` ${style.yellow(`[${word}]`)}`)
    return `${style.bold(safeLine(data.title))}${warnings.join('')}  ${style.dim(`session ${shortId(data.session)} in ${data.project}`)}`
  },
  'isolation.tested': ({ data }, style) => {
    if (!data.sandboxed) return style.yellow('! unsandboxed: the agent runs with your rights')
    if (data.ok) return undefined
    const failed = data.probes.filter((probe) => !probe.ok).map((probe) => `${probe.name}: ${probe.detail}`)
    return style.red(`✗ the sandbox let something through: ${safeLine(failed.join('; '))}`)
  },
  'agent.exited': ({ data }, style) =>
    style.yellow(`! Claude Code ended (${data.reason}): ${firstLine(data.message)}`),
  'agent.retrying': ({ data }, style) =>
    style.dim(
      `  The model is tried again (attempt ${data.attempt}${data.status == null ? '' : `, status ${data.status}`})`,
    ),
  'agent.compacted': (_, style) => style.dim('  The conversation was made shorter to fit the model'),
  'permission.requested': ({ data }, style) =>
    `${style.yellow('?')} ${style.bold(safeLine(data.tool))} needs permission: ${safeText(data.detail)}`,
  'permission.ruled': ({ data }, style) =>
    style.dim(`  ${safeLine(data.tool)} is refused by rule ${safeLine(data.rule)}`),
  'permission.decided': (event, style) => {
    const { decision } = event.data
    const scope =
      decision.behavior === 'allow' && decision.scope !== 'once' ? ` for this ${decision.scope}` : ''
    return style.dim(`  ${decision.behavior === 'allow' ? '✓ allowed' : '✗ denied'}${scope} by ${who(event)}`)
  },
  'question.asked': ({ data }, style) =>
    data.questions
      .flatMap((item) => [
        `${style.yellow('?')} ${safeText(item.question)}`,
        ...item.options.map((option) => `    ${style.dim('-')} ${safeLine(option.label)}`),
      ])
      .join('\n'),
  'question.answered': (event, style) => {
    const given = Object.values(event.data.answers).map((answer) => [answer].flat().join(', '))
    return style.dim(`  ✓ answered by ${who(event)}: ${safeLine(given.join('; '))}`)
  },
  'request.cancelled': ({ data }, style) => style.dim(`  The request is void: ${safeLine(data.reason)}`),
  'request.withdrawn': ({ data }, style) =>
    style.dim(`  The agent gave its request up: ${safeLine(data.reason)}`),
  'prompt.withdrawn': (event, style) => style.dim(`  A prompt was withdrawn by ${who(event)}`),
  'turn.started': ({ data }, style) =>
    data.attempt > 1
      ? style.yellow(`! The turn goes on with a new runner (attempt ${data.attempt})`)
      : undefined,
  'turn.interrupt_requested': (event, style) => style.dim(`  Interrupting (${who(event)})`),
  'turn.ended': ({ data }, style) => {
    const [paint, words] = results[data.result]
    // Who interrupted has been said; an answer that ended well is on the screen.
    const isTold = data.result === 'success' || data.result === 'interrupted' || data.message === ''
    const text = isTold ? '' : `: ${safeText(data.message)}`
    return `${style[paint](words)} ${style.dim(`in ${duration(data.durationMs)}`)}${text}`
  },
  'workspace.snapshot': ({ data }, style) => {
    const changed = data.repositories.filter((item) => item.turn.files > 0)
    return changed.length === 0
      ? undefined
      : changed.map((item) => `${style.dim('±')} ${item.name}: ${diffStatText(item.turn, style)}`).join('\n')
  },
  'model.error': ({ data }, style) =>
    style.yellow(`! The model answered ${data.status}: ${safeLine(data.message)}`),
  'generation.ended': ({ data }, style) =>
    data.reason === 'exited'
      ? undefined
      : style.yellow(`! The runner ended (${data.reason}): ${firstLine(data.message)}`),
  'session.stop_requested': (event, style) => style.dim(`  Stopping (${event.data.reason}, ${who(event)})`),
  'session.resume_requested': (event, style) => style.dim(`  Resumed by ${who(event)}`),
  'session.deleted': (event, style) =>
    style.yellow(`  Deleted by ${who(event)}; purged ${moment(event.data.purgeAt)}`),
  'session.restored': (event, style) => style.dim(`  Restored by ${who(event)}`),
  'runner.notice': ({ data }, style) => style[notes[data.level]](`  ${safeText(data.message)}`),
}

/** What an event says in a line (or a few) of its own; undefined when it says nothing to a person. */
export const eventLine = (event: AnyEvent, style: Style): string | undefined => {
  if (event.type === 'unknown') return undefined
  const liner = liners[event.type] as ((event: Event, style: Style) => string | undefined) | undefined
  return liner?.(event, style)
}
