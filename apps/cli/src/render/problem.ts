import { isApiError, isConnectionError } from '@berth/client'
import { isBerthError } from '@berth/contract'
import { ExitError, type ExitReason } from '../exit-code.ts'
import { safeLine, safeText } from '../terminal/safe-text.ts'
import type { Style } from '../terminal/style.ts'

/** What to do about an error, where its own text can't know the commands. */
const advice: Partial<Record<string, string>> = {
  unauthenticated:
    'Set BERTH_TOKEN, or BERTH_DATA_DIR to the directory of the backend that you call (its owner-token is read).',
  session_failed: 'Take it up again with: berth resume <session>',
  session_deleted: 'Take the deletion back with: berth rm --restore <session>',
  no_turn: 'Nothing runs right now: berth show <session> tells what it does.',
  project_not_found: 'berth project ls lists the projects.',
  session_not_found: 'berth ls lists the sessions; berth ls --deleted those that can be restored.',
  version_mismatch: 'Look at it again, then repeat the change.',
  unavailable: 'Try again in a moment.',
}

/** An error as a person reads it: what, why, what to do, which fields, and the id of the request. */
export const renderError = (error: unknown, { style, url }: { style: Style; url: string }): string => {
  const say = (text: string) => `${style.red('✗')} ${safeText(text)}`
  if (error instanceof ExitError) return say(error.message)
  if (isConnectionError(error))
    return error.kind === 'unreachable'
      ? say(`Berth is not running at ${url}; start it with \`berth serve\` (or set BERTH_URL).`)
      : say(error.message)
  if (!isBerthError(error))
    return say(`A fault in berth: ${error instanceof Error ? error.message : String(error)}`)
  const title = isApiError(error) ? error.title : error.message
  const lines = [say(title)]
  if (title !== error.message) lines.push(`  ${safeText(error.message)}`)
  for (const { field, message } of error.fields ?? [])
    lines.push(`  ${style.bold(safeLine(field))}: ${safeLine(message)}`)
  const todo = advice[error.code]
  if (todo !== undefined) lines.push(`  ${todo}`)
  const facts =
    isApiError(error) && error.requestId !== '' ? `${error.code}, request ${error.requestId}` : error.code
  return [...lines, style.dim(`  (${safeLine(facts)})`)].join('\n')
}

/** The same as one object, for `--json`: problem details where there are any. */
export const errorObject = (error: unknown): Record<string, unknown> => {
  if (isBerthError(error)) {
    const facts = isApiError(error)
      ? { title: error.title, status: error.status, requestId: error.requestId }
      : {}
    return { code: error.code, ...facts, detail: error.message, errors: error.fields }
  }
  const code = isConnectionError(error)
    ? 'connection'
    : error instanceof ExitError
      ? error.reason
      : 'internal'
  return { code, detail: error instanceof Error ? error.message : String(error) }
}

export const exitReasonOf = (error: unknown): ExitReason => {
  if (error instanceof ExitError) return error.reason
  if (isConnectionError(error)) return 'unreachable'
  if (!isBerthError(error)) return 'internal'
  if (error.code === 'invalid_input' || error.code === 'invalid_json' || error.code === 'invalid_cursor')
    return 'usage'
  return isApiError(error) && error.status >= 500 ? 'internal' : 'refused'
}
