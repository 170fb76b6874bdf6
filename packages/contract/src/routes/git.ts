import { z } from 'zod'
import { limits } from '../limits.ts'
import { route } from './route.ts'

/** Scheme, host and path of a repository, and behind it what git asks for. */
const params = z.object({ scheme: z.enum(['https', 'http']), '*': z.string().min(1).max(limits.url) })

const errors = ['fenced', 'git_refused', 'git_not_found', 'git_busy', 'git_failed'] as const

/**
 * The git proxy, for the runner and by its door for the agent: git's own "smart HTTP". Errors are plain text when the caller
 * is git, which prints it, and a refused push is answered in git's own report.
 */
export const gitRoutes = {
  runnerGitRefs: route({
    method: 'GET',
    path: '/runner/git/:scheme/*',
    role: 'runner',
    tag: 'Runner',
    summary: 'Ask a git server for its refs: `…/git/https/host/path/info/refs`',
    params,
    query: z.object({ service: z.enum(['git-upload-pack', 'git-receive-pack']) }),
    response: { status: 200, kind: 'bytes' },
    errors,
  }),
  runnerGitService: route({
    method: 'POST',
    path: '/runner/git/:scheme/*',
    role: 'runner',
    tag: 'Runner',
    summary: 'Fetch from a git server, or push the session branch to it: `…/path/git-upload-pack`, streamed',
    params,
    takes: 'bytes',
    bodyLimit: limits.gitPush,
    response: { status: 200, kind: 'bytes' },
    errors,
  }),
} as const
