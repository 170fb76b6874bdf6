import { type Fields, fieldsOf, listOf, optionalText, textOf } from '../fields.ts'
import { type MessageContext, notice, partsOf } from './context.ts'
import type { MessageHandler } from './handler.ts'
import { reportToolResults } from './tool-results.ts'

const parentOf = (message: Fields) => optionalText(message.parent_tool_use_id)

/** What the agent said. The text of an API error is left to the turn's result, unless it is a subagent's. */
export const assistant: MessageHandler = (message, context) => {
  const parent = parentOf(message)
  const error = optionalText(message.error)
  if (error === undefined) {
    const whole = fieldsOf(message.message)
    return context.streams.message({ ...whole, content: partsOf(whole.content, context) }, parent)
  }
  if (parent !== undefined) notice(context, 'warning', `A subagent could not reach the model: ${error}.`)
}

/** What the model streams. */
export const streamEvent: MessageHandler = (message, context) =>
  context.streams.event(fieldsOf(message.event), parentOf(message))

/** Tool results. */
export const user: MessageHandler = (message, context) => reportToolResults(message, context)

/** Refusals that Claude Code made by itself, from the rules that it was given. */
const reportDenials = (message: Fields, context: MessageContext) => {
  for (const item of listOf(message.permission_denials).slice(0, 50)) {
    const denial = fieldsOf(item)
    const toolUse = textOf(denial.tool_use_id).slice(0, 200)
    if (context.ruled.has(toolUse)) continue
    context.ruled.add(toolUse)
    context.refused(textOf(denial.tool_name), 'a rule that Claude Code applied itself')
  }
}

/** The end of a turn, of ours or one that Claude Code began. */
export const result: MessageHandler = (message, context) => {
  context.streams.settle('The turn ended.')
  reportDenials(message, context)
  context.turns.result(message)
}
