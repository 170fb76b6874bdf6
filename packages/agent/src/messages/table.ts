import { boundedJson, clip } from '../bounds.ts'
import type { Fields } from '../fields.ts'
import { type MessageContext, notice } from './context.ts'
import { assistant, result, streamEvent, user } from './conversation.ts'
import { type MessageHandler, silent } from './handler.ts'
import { type MessageKind, messageKind } from './kind.ts'
import * as session from './session.ts'
import * as work from './work.ts'

/** What becomes of every kind of message. A kind that the SDK adds doesn't compile until it has a row. */
export const messageTable: Record<MessageKind, MessageHandler> = {
  assistant,
  user,
  stream_event: streamEvent,
  'result/success': result,
  'result/error_during_execution': result,
  'result/error_max_turns': result,
  'result/error_max_budget_usd': result,
  'result/error_max_structured_output_retries': result,
  'system/init': session.init,
  'system/status': session.status,
  'system/compact_boundary': session.compacted,
  'system/api_retry': session.apiRetry,
  'system/informational': session.informational,
  'system/notification': session.told('text', 'info'),
  'system/local_command_output': session.localOutput,
  'system/model_refusal_fallback': session.told('content', 'warning'),
  'system/model_refusal_no_fallback': session.told('content', 'warning'),
  'system/mirror_error': session.told('error', 'error'),
  'system/session_writes_lost': session.writesLost,
  'system/plugin_install': session.pluginInstall,
  'system/worker_shutting_down': session.told('reason', 'warning', 'Claude Code is shutting down: '),
  'system/hook_started': silent("a repository's hooks are its own affair until they fail"),
  'system/hook_progress': silent("a repository's hooks are its own affair until they fail"),
  'system/hook_response': session.hookResponse,
  'system/task_started': work.taskStarted,
  'system/task_updated': work.taskUpdated,
  'system/task_progress': work.taskProgress,
  'system/task_notification': work.taskNotification,
  'system/background_tasks_changed': silent('the task messages say the same one by one'),
  'system/permission_denied': work.permissionDenied,
  'system/thinking_tokens': silent('an estimate for spinners'),
  'system/session_state_changed': silent('the turn results say the same'),
  'system/commands_changed': silent('the list is asked for at the start'),
  'system/files_persisted': silent('of hosted sessions only'),
  'system/elicitation_complete': silent('no MCP server may ask people here'),
  'system/memory_recall': silent('goes to the model, not to people'),
  'system/control_request_progress': silent('answers to requests that are never sent here'),
  tool_progress: work.toolProgress,
  tool_use_summary: work.toolSummary,
  auth_status: session.authStatus,
  rate_limit_event: session.rateLimit,
  prompt_suggestion: silent('not asked for'),
  conversation_reset: (_message, context) => notice(context, 'info', 'The conversation was cleared.'),
}

/** A kind that the SDK's types don't have; how far messages are done is for the turn tracker. */
const extraKinds: Record<string, MessageHandler> = {
  command_lifecycle: (message, context) =>
    context.turns.lifecycle(String(message.command_uuid), String(message.state)),
  keep_alive: silent('says only that Claude Code lives'),
}

const raw: MessageHandler = (message, context) =>
  context.emit({
    type: 'agent.raw',
    data: { kind: clip(messageKind(message), 200), message: boundedJson(message) },
  })

const handlers = new Map(Object.entries({ ...messageTable, ...extraKinds }))

/** Turns a message of Claude Code into facts. A message that can't be read is reported as it is; nothing is thrown. */
export const handleMessage = (message: Fields, context: MessageContext): void => {
  const handler = handlers.get(messageKind(message)) ?? raw
  try {
    handler(message, context)
  } catch {
    raw(message, context)
  }
}
