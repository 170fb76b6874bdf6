import { isApiError, isConnectionError } from '@berth/client'
import { isBerthError } from '@berth/contract'
import type { TokenSource } from '../connection.ts'
import { ExitError, type ExitReason } from '../exit-code.ts'
import { safeLine, safeText } from '../terminal/safe-text.ts'
import type { Style } from '../terminal/style.ts'
import { wrap } from './wrap.ts'

/** What to do about an error, where its own text can't know the commands. */
const advice: Partial<Record<string, string>> = {
  session_failed: 'Take it up again with: berth resume <session>',
  session_deleted: 'Take the deletion back with: berth rm --restore <session>',
  no_turn: 'Nothing runs right now: berth show <session> tells what it does.',
  forbidden: 'berth access <project> tells what you may do there, and why.',
  project_not_found: 'berth project ls lists the projects.',
  session_not_found: 'berth ls lists the sessions; berth ls --deleted those that can be restored.',
  version_mismatch: 'Look at it again, then repeat the change.',
  unavailable: 'Try again in a moment.',
}

export interface ErrorView {
  style: Style
  url: string
  berth: string
  columns: number
  /** Where the token came from; undefined when there was none. */
  token: TokenSource | undefined
}

const tokenText = (url: string, token: TokenSource | undefined): string => {
  if (token?.kind === 'login') return `Your sign-in at ${url} is not taken. Sign in again: berth login ${url}`
  const found =
    token === undefined ? 'No token was found' : `The token in ${safeLine(token.name)} is not taken`
  return `${found} at ${url}. Sign in with berth login, set BERTH_DATA_DIR to the data directory of that Berth (it holds owner-token), or BERTH_TOKEN.`
}

/** An error as a person reads it: what, why, what to do, which fields, and the id of the request. */
export const renderError = (error: unknown, { style, url, berth, columns, token }: ErrorView): string => {
  const fold = (text: string) => wrap(text, columns, 2)
  const say = (text: string) => fold(`${style.red('✗')} ${safeText(text)}`)
  if (error instanceof ExitError) return say(error.message)
  if (isConnectionError(error))
    return error.kind === 'unreachable'
      ? say(`Berth is not running at ${url}; start it with \`${berth} serve\` (or set BERTH_URL).`)
      : say(error.message)
  if (!isBerthError(error))
    return say(`A fault in berth: ${error instanceof Error ? error.message : String(error)}`)
  const title = isApiError(error) ? error.title : error.message
  const lines = [say(title)]
  const fields = (error.fields ?? []).filter(({ message }) => message !== error.message)
  const isRepeated = fields.length > 0 && error.message.startsWith(`${title}. `)
  if (error.code === 'unauthenticated') {
    // Why a token is not taken, the backend says best.
    if (token !== undefined && title !== error.message) lines.push(fold(`  ${safeText(error.message)}`))
    lines.push(fold(`  ${tokenText(url, token).replaceAll(/\bberth login/g, `${berth} login`)}`))
  } else if (title !== error.message && !isRepeated) lines.push(fold(`  ${safeText(error.message)}`))
  for (const { field, message } of fields)
    lines.push(
      fold(`  ${style.bold(safeLine(field.replace(/^(body|query|path)\./, '')))}: ${safeLine(message)}`),
    )
  const todo = advice[error.code]
  if (todo !== undefined) lines.push(fold(`  ${todo.replaceAll(/\bberth /g, `${berth} `)}`))
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
