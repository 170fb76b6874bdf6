import type { IncomingHttpHeaders } from 'node:http'
import type { GitService } from './git-policy.ts'

/**
 * All that a git server is sent beside the address and the body. What comes from the agent is only passed on where it has
 * one of a few known forms, so that nothing else travels with it; and the project's credential for this server.
 */
export const upstreamHeaders = (
  asked: IncomingHttpHeaders,
  request: { service: GitService; isCall: boolean; authorization?: string },
): Record<string, string> => {
  const { service, isCall, authorization } = request
  const protocol = formed(asked['git-protocol'], /^version=[0-2]$/)
  const agent = formed(asked['user-agent'], /^git\/\d[\w.+-]{0,40}$/)
  const length = formed(asked['content-length'], /^\d{1,15}$/)
  return {
    'user-agent': agent ?? 'git/2.0',
    // What becomes of a push is read on its way.
    'accept-encoding': service === 'git-receive-pack' ? 'identity' : 'gzip',
    ...(authorization === undefined ? {} : { authorization }),
    ...(protocol === undefined ? {} : { 'git-protocol': protocol }),
    ...(isCall
      ? {
          accept: `application/x-${service}-result`,
          'content-type': `application/x-${service}-request`,
          ...(asked['content-encoding'] === 'gzip' ? { 'content-encoding': 'gzip' } : {}),
          ...(length === undefined ? {} : { 'content-length': length }),
        }
      : { accept: '*/*' }),
  }
}

const formed = (value: string | string[] | undefined, form: RegExp): string | undefined =>
  typeof value === 'string' && form.test(value) ? value : undefined
