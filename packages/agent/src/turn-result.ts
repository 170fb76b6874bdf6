import { limits, preview, type Usage } from '@berth/contract'
import { countOf, type Fields, fieldsOf, isFields, optionalText, textOf, textsOf } from './fields.ts'

/** How a turn ended. The fields of the contract's `turn.ended`, and what the agent counted. */
export interface TurnResult {
  turn: string
  attempt: number
  result: 'success' | 'error' | 'interrupted'
  /** The agent's last words, or what went wrong and what to do. At most the contract's `inlineText`. */
  message: string
  /** Why, in a word: `max-steps`, `budget`, `model-overloaded`, … */
  code?: string
  /** Requests to the model that the turn took. */
  steps: number
  durationMs: number
  /** Claude Code's own estimate for this turn; billing is the model gateway's. */
  usage: Usage
}

export type Outcome = Pick<TurnResult, 'result' | 'message' | 'code'>

const modelFailures: { fits: (status: number) => boolean; code: string; advice: string }[] = [
  {
    fits: (status) => status === 401 || status === 403,
    code: 'model-authentication',
    advice:
      'The model refused the key or the request is not permitted: check the key and the allowed models.',
  },
  {
    fits: (status) => status === 404,
    code: 'model-not-found',
    advice: 'Choose another model: this one does not exist or the key may not use it.',
  },
  {
    fits: (status) => status === 429,
    code: 'model-rate-limit',
    advice: 'The rate limit of the model is used up: wait and send the prompt again, or raise the limit.',
  },
  {
    fits: (status) => status === 529,
    code: 'model-overloaded',
    advice: 'The model is overloaded and all retries failed: send the prompt again later.',
  },
  {
    fits: (status) => status >= 400 && status < 500,
    code: 'model-request',
    advice: 'The model refused the request: change the prompt or start a new session.',
  },
]

const unavailable = {
  code: 'model-unavailable',
  advice:
    'The model could not be reached or failed, also when it was tried again: send the prompt again later.',
}

const sentence = (text: string) => (/[.!?]$/.test(text) ? text : `${text}.`)

const modelFailure = (result: Fields): Outcome => {
  const status = countOf(result.api_error_status)
  const { code, advice } = modelFailures.find((failure) => failure.fits(status)) ?? unavailable
  const said = optionalText(result.result) ?? textsOf(result.errors).join(' ')
  return { result: 'error', code, message: `${said === '' ? '' : `${sentence(said)} `}${advice}` }
}

const errorSubtypes: Record<string, { code: string; message: string }> = {
  error_max_turns: {
    code: 'max-steps',
    message: 'The turn reached its largest number of steps. Send another prompt to go on.',
  },
  error_max_budget_usd: {
    code: 'budget',
    message: 'The budget of this run is spent. Raise it to go on.',
  },
}

const terminalReasons: Record<string, { code: string; message: string }> = {
  prompt_too_long: {
    code: 'prompt-too-long',
    message: 'The conversation no longer fits the model. Start a new session, or send /compact first.',
  },
  hook_stopped: { code: 'hook', message: 'A hook stopped the turn.' },
  stop_hook_prevented: { code: 'hook', message: 'A hook stopped the turn.' },
}

const failure = (result: Fields): Outcome => {
  const known = errorSubtypes[textOf(result.subtype)] ?? terminalReasons[textOf(result.terminal_reason)]
  if (known !== undefined) return { result: 'error', ...known }
  if (result.terminal_reason === 'api_error' || result.terminal_reason === 'model_error')
    return modelFailure(result)
  const said = textsOf(result.errors).join(' ') || textOf(result.result)
  return { result: 'error', code: 'agent', message: said || 'Claude Code ended the turn with an error.' }
}

/** What a result message says about its turn. `interrupting`: somebody asked to interrupt it. */
export const outcomeOf = (result: Fields, interrupting: boolean): Outcome => {
  const aborted = textOf(result.terminal_reason).startsWith('aborted_')
  if (aborted || (interrupting && result.is_error === true))
    return { result: 'interrupted', message: 'The turn was interrupted.', code: 'interrupted' }
  const outcome: Outcome =
    result.is_error === true || result.subtype !== 'success'
      ? failure(result)
      : { result: 'success', message: textOf(result.result) }
  return { ...outcome, message: preview(outcome.message, limits.inlineText) }
}

/** The tokens of one result; `costBefore` is the conversation's cost at the result before, in US dollars. */
export const usageOf = (result: Fields, costBefore: number): Usage => {
  const usage = fieldsOf(result.usage)
  const cost = typeof result.total_cost_usd === 'number' ? result.total_cost_usd : undefined
  return {
    requests: countOf(result.num_turns),
    inputTokens: countOf(usage.input_tokens),
    outputTokens: countOf(usage.output_tokens),
    cacheReadTokens: countOf(usage.cache_read_input_tokens),
    cacheWriteTokens: countOf(usage.cache_creation_input_tokens),
    costUsd: cost === undefined ? null : Math.max(0, cost - costBefore),
  }
}

/** Whether a result answers the message with this uuid. */
export const answersMessage = (result: Fields, uuid: string): boolean =>
  result.user_message_uuid === uuid || textsOf(result.user_message_uuids).includes(uuid)

/** Whether a result belongs to work that no prompt began, e.g. to the end of a background task. */
export const isUnprompted = (result: Fields): boolean =>
  isFields(result.origin) && result.origin.kind !== 'human'
