import { BerthError } from '@berth/contract'
import { connectionWords } from '../outbound/connection-words.ts'
import { privateAddressOf } from '../outbound/outbound.ts'
import { type GitTarget, placeOf } from './git-target.ts'

const words: Record<string, string> = {
  ...connectionWords,
  UND_ERR_BODY_TIMEOUT: 'it stopped in the middle of its answer',
  UND_ERR_ABORTED: 'it took too long',
}

/** What went wrong on the way to a git server, in words for the agent. */
export const unreachable = (target: GitTarget, error: unknown): BerthError => {
  if (error instanceof BerthError) return error
  const cause = error instanceof AggregateError ? error.errors[0] : error
  if (privateAddressOf(error) !== undefined)
    return new BerthError(
      'git_refused',
      `${target.host} has no public address. To have sessions reach it, the operator adds ${placeOf(target)} to BERTH_GIT_HOSTS.`,
    )
  const code = String((cause as { code?: unknown } | undefined)?.code ?? '')
  const why = words[code] ?? (/CERT|SSL|TLS|SELF_SIGNED/.test(code) ? 'its certificate is not trusted' : code)
  return new BerthError(
    'git_failed',
    `${placeOf(target)} can’t be reached: ${why || 'the connection failed'}.`,
  )
}

/** What an answer that is none of git's means, in words for the agent. */
export const refusedBy = (target: GitTarget, status: number): BerthError => {
  if (status === 200)
    return new BerthError('git_failed', `${target.url} is not behind a git server that Berth can speak with.`)
  if (status === 401 || status === 403)
    return new BerthError(
      'git_refused',
      `${placeOf(target)} gives no access to ${target.url}: there is no such repository, or it needs credentials, and the project has none for it.`,
    )
  if (status === 404)
    return new BerthError('git_not_found', `${placeOf(target)} has no repository ${target.url}.`)
  return new BerthError('git_failed', `${placeOf(target)} answered with status ${status}.`)
}
