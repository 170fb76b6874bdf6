import { z } from 'zod'
import { sessionId } from '../ids.ts'
import { limits } from '../limits.ts'
import { gitState } from '../operation.ts'
import { branchName, directoryName, repository, repositoryUrl } from '../repository.ts'
import { sessionRepository, sessionSummary } from '../session/summary.ts'
import { route } from './route.ts'
import { projectName } from './schemas.ts'

const byProject = z.object({ project: projectName })
const bySession = byProject.extend({ session: sessionId })
const byName = bySession.extend({ name: directoryName })
const base = '/api/projects/:project/sessions/:session' as const
/** When the runner of a live session has to be asked. */
const ofOperations = [
  'operation_timeout',
  'operation_failed',
  'operation_refused',
  'too_many_operations',
] as const
const accepted = { status: 202, body: sessionSummary } as const

/** A repository of a session: how far it is, and what was asked for. */
const listedRepository = sessionRepository.extend({
  depth: repository.shape.depth,
  partial: repository.shape.partial,
  submodules: repository.shape.submodules,
})

export type ListedRepository = z.infer<typeof listedRepository>

/** Branches and state of a session's repositories. */
export const sessionGit = z.object({
  /**
   * `live`: from the workspace, now. `snapshot`: no runner is there, so it is what the last turn left, and less is known.
   * `none`: there was no turn yet.
   */
  source: z.enum(['live', 'snapshot', 'none']),
  /** As of when. */
  at: z.iso.datetime().optional(),
  repositories: z
    .array(
      gitState
        .partial({ ahead: true, behind: true, changed: true, branches: true })
        .extend({ base: z.string().max(64).optional() }),
    )
    .max(limits.repositories + 1),
})

export type SessionGit = z.infer<typeof sessionGit>

/** The branches of a repository, as its origin has them. */
export const branchList = z.object({
  /** The branch that a session starts from when none is named; missing: the repository names none. */
  default: branchName.optional(),
  branches: z.array(z.object({ name: branchName, commit: z.string().max(64) })).max(limits.listedBranches),
  /** There are more than are listed. */
  more: z.boolean(),
})

export type BranchList = z.infer<typeof branchList>

export const repositoryRoutes = {
  listRepositories: route({
    method: 'GET',
    path: `${base}/repositories`,
    role: 'viewer',
    tag: 'Repositories',
    summary: 'The repositories of a session, and how far each is',
    params: bySession,
    response: { status: 200, body: z.object({ items: z.array(listedRepository) }) },
  }),
  addRepository: route({
    method: 'POST',
    path: `${base}/repositories`,
    role: 'editor',
    tag: 'Repositories',
    summary: 'Add a repository to a session, live or stopped; a live one clones it at once, beside its turn',
    params: bySession,
    body: repository,
    response: accepted,
    errors: ['repository_not_allowed', 'repository_exists', 'too_many_repositories', 'session_deleted'],
  }),
  removeRepository: route({
    method: 'DELETE',
    path: `${base}/repositories/:name`,
    role: 'editor',
    tag: 'Repositories',
    summary: 'Take a repository out of a session; its directory goes away between two turns',
    params: byName,
    query: z.object({
      force: z
        .enum(['true', 'false'])
        .default('false')
        .describe('Also when work would be lost, or while a turn runs'),
    }),
    response: accepted,
    errors: [
      'repository_not_found',
      'repository_has_work',
      'repository_busy',
      'session_deleted',
      ...ofOperations,
    ],
  }),
  retryRepository: route({
    method: 'POST',
    path: `${base}/repositories/:name/retry`,
    role: 'editor',
    tag: 'Repositories',
    summary: 'Try a clone that failed again',
    params: byName,
    response: accepted,
    errors: ['repository_not_found', 'repository_not_failed', 'session_deleted'],
  }),
  getSessionGit: route({
    method: 'GET',
    path: `${base}/git`,
    role: 'viewer',
    tag: 'Repositories',
    summary: 'Branches, commits ahead and behind, and changed files of the repositories of a session',
    params: bySession,
    response: { status: 200, body: sessionGit },
    errors: [...ofOperations],
  }),
  listBranches: route({
    method: 'GET',
    path: '/api/projects/:project/branches',
    role: 'editor',
    expensive: true,
    tag: 'Repositories',
    summary: 'The branches of a repository, before there is a session with it',
    params: byProject,
    query: z.object({ url: repositoryUrl.describe('As a session takes it') }),
    response: { status: 200, body: branchList },
    errors: ['repository_not_allowed', 'repository_unreachable'],
  }),
} as const
