import { safeLine, safeText } from '../../terminal/safe-text.ts'
import { usageText } from '../amounts.ts'
import { duration } from '../duration.ts'
import { type Lines, untold, who } from './liner.ts'

const results = {
  success: ['green', '✓ done'],
  error: ['red', '✗ ended with an error'],
  interrupted: ['yellow', '■ interrupted'],
  failed: ['red', '✗ failed'],
} as const

const block = untold('the block view writes it as it comes')
const prompt = untold('the prompt lines tell it')

/** Turns: what is asked, said, needed and answered. */
export const turnLines = {
  'prompt.queued': prompt,
  'prompt.withdrawn': (event, { style }) => style.dim(`  A prompt was withdrawn by ${who(event)}`),
  'turn.started': ({ data }, { style }) => {
    if (data.attempt === 1) return undefined
    if (data.paused !== undefined) return style.green('▸ The turn goes on after its pause')
    return style.yellow(`! The turn goes on with a new runner (attempt ${data.attempt})`)
  },
  'turn.restarted': ({ data }, { style }) =>
    style.yellow(`! The turn begins again from its last checkpoint: ${safeText(data.reason)}`),
  'turn.paused': ({ data }, { style }) =>
    style.yellow(`‖ The turn is paused (${data.reason}): ${safeText(data.message)}`),
  'turn.interrupt_requested': (event, { style }) => style.dim(`  Interrupting (${who(event)})`),
  'turn.ended': ({ data }, { style }) => {
    const [paint, words] = results[data.result]
    // Who interrupted has been said; an answer that ended well is on the screen.
    const isTold = data.result === 'success' || data.result === 'interrupted' || data.message === ''
    const text = isTold ? '' : `: ${safeText(data.message)}`
    return `${style[paint](words)} ${style.dim(`in ${duration(data.durationMs)}`)}${text}`
  },
  'block.started': block,
  'block.delta': block,
  'block.completed': block,
  'block.aborted': block,
  'tool.result': block,
  'permission.requested': ({ data }, { style }) =>
    `${style.yellow('?')} ${style.bold(safeLine(data.tool))} needs permission: ${safeText(data.detail)}`,
  'permission.ruled': ({ data }, { style }) =>
    style.dim(`  ${safeLine(data.tool)} is refused by rule ${safeLine(data.rule)}`),
  'permission.decided': (event, { style }) => {
    const { decision } = event.data
    const scope =
      decision.behavior === 'allow' && decision.scope !== 'once' ? ` for this ${decision.scope}` : ''
    return style.dim(`  ${decision.behavior === 'allow' ? '✓ allowed' : '✗ denied'}${scope} by ${who(event)}`)
  },
  'question.asked': ({ data }, { style }) =>
    data.questions
      .flatMap((item) => [
        `${style.yellow('?')} ${safeText(item.question)}`,
        ...item.options.map((option) => `    ${style.dim('-')} ${safeLine(option.label)}`),
      ])
      .join('\n'),
  'question.answered': (event, { style }) => {
    const given = Object.values(event.data.answers).map((answer) => [answer].flat().join(', '))
    return style.dim(`  ✓ answered by ${who(event)}: ${safeLine(given.join('; '))}`)
  },
  'request.cancelled': ({ data }, { style }) => style.dim(`  The request is void: ${safeLine(data.reason)}`),
  'request.withdrawn': ({ data }, { style }) =>
    style.dim(`  The agent gave its request up: ${safeLine(data.reason)}`),
  'model.usage': ({ data }, { style, verbose }) =>
    verbose ? style.dim(`  ${safeLine(data.model)}: ${usageText({ requests: 1, ...data })}`) : undefined,
  'model.error': ({ data }, { style }) =>
    style.yellow(`! The model answered ${data.status}: ${safeLine(data.message)}`),
} satisfies Partial<Lines>
