import { clip } from '../bounds.ts'
import { countOf, fieldsOf, optionalText, textOf, textsOf } from '../fields.ts'
import { notice } from './context.ts'
import type { MessageHandler } from './handler.ts'

/** Claude Code's own description of the session; comes with every turn. */
export const init: MessageHandler = (message, context) =>
  context.initialized({
    conversation: optionalText(message.session_id),
    model: optionalText(message.model),
    version: optionalText(message.claude_code_version),
    tools: textsOf(message.tools),
  })

export const status: MessageHandler = (message, context) => {
  if (message.status === 'requesting') context.status('Waiting for the model')
  if (message.status === 'compacting') context.status('Making the conversation shorter')
  if (message.compact_result === 'failed')
    notice(context, 'warning', `The conversation could not be made shorter: ${textOf(message.compact_error)}`)
}

export const compacted: MessageHandler = (message, context) => {
  const { trigger, pre_tokens } = fieldsOf(message.compact_metadata)
  context.emit({
    type: 'agent.compacted',
    data: { trigger: clip(textOf(trigger) || 'auto', 50), tokensBefore: countOf(pre_tokens) },
  })
}

export const apiRetry: MessageHandler = (message, context) => {
  context.streams.retry('The response broke off and is tried again.')
  const { error_status: httpStatus } = message
  context.emit({
    type: 'agent.retrying',
    data: {
      attempt: countOf(message.attempt),
      maxAttempts: countOf(message.max_retries),
      delayMs: countOf(message.retry_delay_ms),
      status: typeof httpStatus === 'number' ? countOf(httpStatus) : null,
      message: clip(textOf(message.error), 4000),
    },
  })
}

export const authStatus: MessageHandler = (message, context) => {
  const error = optionalText(message.error)
  if (error !== undefined) notice(context, 'error', `Claude Code could not sign in: ${error}`)
}

export const rateLimit: MessageHandler = (message, context) => {
  const info = fieldsOf(message.rate_limit_info)
  if (info.status !== 'rejected' && info.status !== 'allowed_warning') return
  const resets = countOf(info.resetsAt)
  const until =
    resets > 0 && resets < 8.64e12 ? ` It resets at ${new Date(resets * 1000).toISOString()}.` : ''
  const words = info.status === 'rejected' ? 'is used up' : 'is nearly used up'
  notice(context, 'warning', `The rate limit ${textOf(info.rateLimitType)} of the model ${words}.${until}`)
}

/** A message whose text is for people: `field` names it, `level` ranks it. */
export const told =
  (field: string, level: 'info' | 'warning' | 'error', prefix = ''): MessageHandler =>
  (message, context) => {
    const text = optionalText(message[field])
    if (text !== undefined) notice(context, level, `${prefix}${text}`)
  }

export const informational: MessageHandler = (message, context) =>
  told('content', message.level === 'warning' ? 'warning' : 'info')(message, context)

/** The output of a slash command that Claude Code answers itself: shown as the agent's text. */
export const localOutput: MessageHandler = (message, context) =>
  context.streams.message({ content: [{ type: 'text', text: textOf(message.content) }] }, undefined)

export const writesLost: MessageHandler = (message, context) =>
  notice(
    context,
    'error',
    `The disk is full (${textOf(message.error_code)}): Claude Code could not save its conversation, so a resume may miss a part. Free some space.`,
  )

export const pluginInstall: MessageHandler = (message, context) => {
  if (message.status !== 'failed') return
  notice(context, 'warning', `The plugin ${textOf(message.name)} was not installed: ${textOf(message.error)}`)
}

export const hookResponse: MessageHandler = (message, context) => {
  if (message.outcome !== 'error') return
  const said = clip(textOf(message.stderr) || textOf(message.output), 1000)
  notice(context, 'info', `The hook ${textOf(message.hook_name)} failed: ${said}`)
}
