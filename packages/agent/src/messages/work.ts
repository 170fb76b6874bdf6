import { clip } from '../bounds.ts'
import { countOf, type Fields, fieldsOf, optionalText, textOf } from '../fields.ts'
import type { MessageContext } from './context.ts'
import type { MessageHandler } from './handler.ts'

type TaskState = 'started' | 'running' | 'completed' | 'failed' | 'stopped'

const report = (message: Fields, context: MessageContext, now: { state: TaskState; what: unknown }) =>
  context.emit({
    type: 'agent.task',
    data: {
      task: clip(textOf(message.task_id), 200),
      state: now.state,
      description: optionalText(now.what) && clip(textOf(now.what), 1000),
      toolUse: optionalText(message.tool_use_id)?.slice(0, 200),
    },
  })

export const taskStarted: MessageHandler = (message, context) =>
  report(message, context, { state: 'started', what: message.description })

export const taskProgress: MessageHandler = (message, context) =>
  report(message, context, { state: 'running', what: message.summary ?? message.description })

const notified: Record<string, TaskState> = { completed: 'completed', failed: 'failed', stopped: 'stopped' }

export const taskNotification: MessageHandler = (message, context) =>
  report(message, context, { state: notified[textOf(message.status)] ?? 'stopped', what: message.summary })

const patched: Record<string, TaskState> = { failed: 'failed', killed: 'stopped' }

/** A change of a task; its ordinary end is told by the notification that follows. */
export const taskUpdated: MessageHandler = (message, context) => {
  const patch = fieldsOf(message.patch)
  const state = patched[textOf(patch.status)]
  if (state !== undefined) report(message, context, { state, what: patch.error ?? patch.description })
}

export const toolProgress: MessageHandler = (message, context) => {
  if (optionalText(message.parent_tool_use_id) !== undefined) return
  const seconds = countOf(message.elapsed_time_seconds)
  if (seconds > 0)
    context.status(`${textOf(message.tool_name) || 'A tool'} has been running for ${seconds} s`)
}

export const toolSummary: MessageHandler = (message, context) => context.status(textOf(message.summary))

export const permissionDenied: MessageHandler = (message, context) => {
  const toolUse = textOf(message.tool_use_id).slice(0, 200)
  if (context.ruled.has(toolUse)) return
  context.ruled.add(toolUse)
  context.refused(textOf(message.tool_name), textOf(message.decision_reason) || textOf(message.message))
}
