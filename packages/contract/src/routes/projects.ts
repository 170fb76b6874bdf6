import { z } from 'zod'
import { actor } from '../actor.ts'
import { limits } from '../limits.ts'
import { sessionSummary } from '../session/summary.ts'
import { effectiveSettings, settings } from '../settings/settings.ts'
import { route } from './route.ts'
import { numberInQuery, originMap, page, pageQuery, projectName } from './schemas.ts'

const byProject = z.object({ project: projectName })
const count = z.number().int().nonnegative()

/** The order in which a project is removed; each step is done before the next begins. */
export const deletionSteps = ['sessions', 'runtime', 'bases', 'rest'] as const
export type DeletionStep = (typeof deletionSteps)[number]

const displayName = z.string().trim().min(1).max(100)
const description = z.string().max(limits.message)

export const project = z.object({
  name: projectName,
  displayName,
  description,
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  /** For `If-Match`. */
  version: z.number().int().positive(),
  /** Sessions that aren't deleted, of those that you see. */
  sessions: z.number().int().nonnegative(),
  /** `archived`: it can be read, and nothing in it runs or changes. */
  state: z.enum(['active', 'archived']),
})

export type Project = z.infer<typeof project>

/** How far the deletion of a project is. */
export const projectDeletion = z.object({
  project: projectName,
  since: z.iso.datetime(),
  by: actor,
  /** What is being removed: sessions with all that they have, what the runtime keeps, base packs, and the rest. */
  step: z.enum(deletionSteps),
  /** Sessions that were there when it began, and that are still there. */
  sessions: z.object({ total: count, left: count }),
})

export type ProjectDeletion = z.infer<typeof projectDeletion>

export const projectSettings = z.object({
  version: z.number().int().positive(),
  /** What this project sets itself. */
  own: settings,
  /** What counts for its sessions. */
  effective: effectiveSettings,
  origins: originMap,
})

export type ProjectSettings = z.infer<typeof projectSettings>

/** One change of a project's session list. */
export const projectChange = z.discriminatedUnion('type', [
  z.object({ type: z.literal('session'), revision: z.number().int().positive(), session: sessionSummary }),
  z.object({ type: z.literal('removed'), revision: z.number().int().positive(), session: z.string() }),
  /** The cursor is too old: forget everything and list again, then go on from this revision. */
  z.object({ type: z.literal('reset'), revision: z.number().int().nonnegative() }),
])

export type ProjectChange = z.infer<typeof projectChange>

export const projectRoutes = {
  listProjects: route({
    method: 'GET',
    path: '/api/projects',
    role: 'principal',
    tag: 'Projects',
    summary: 'List the projects that you may see, by name',
    query: pageQuery.extend({
      /** Archived ones too. */
      archived: z.enum(['true', 'false']).default('false'),
    }),
    response: { status: 200, body: page(project) },
    errors: ['invalid_cursor'],
  }),
  createProject: route({
    method: 'POST',
    path: '/api/projects',
    role: 'creator',
    tag: 'Projects',
    summary: 'Create a project',
    body: z.strictObject({
      name: projectName,
      displayName: displayName.optional(),
      description: description.default(''),
      settings: settings.default({}),
    }),
    response: { status: 201, body: project },
    errors: ['project_exists', 'too_many_projects'],
    // Its name makes it single.
    idempotent: false,
  }),
  getProject: route({
    method: 'GET',
    path: '/api/projects/:project',
    role: 'viewer',
    tag: 'Projects',
    summary: 'Get a project',
    params: byProject,
    response: { status: 200, body: project },
  }),
  updateProject: route({
    method: 'PATCH',
    path: '/api/projects/:project',
    role: 'admin',
    tag: 'Projects',
    summary: 'Change display name or description',
    params: byProject,
    body: z.strictObject({ displayName: displayName.optional(), description: description.optional() }),
    response: { status: 200, body: project },
    ifMatch: true,
  }),
  deleteProject: route({
    method: 'DELETE',
    path: '/api/projects/:project',
    role: 'admin',
    tag: 'Projects',
    summary:
      'Delete a project with everything in it; it is gone for its members at once, and the rest follows',
    whileArchived: true,
    params: byProject,
    query: z.object({ confirm: z.string().max(100).describe('The name of the project again') }),
    response: { status: 202, body: projectDeletion },
    errors: ['project_protected'],
  }),
  getProjectDeletion: route({
    method: 'GET',
    path: '/api/projects/:project/deletion',
    role: 'admin',
    whileDeleting: true,
    tag: 'Projects',
    summary: 'How far the deletion of a project is; `project_not_found` when it is done',
    params: byProject,
    response: { status: 200, body: projectDeletion },
  }),
  archiveProject: route({
    method: 'POST',
    path: '/api/projects/:project/archive',
    role: 'admin',
    tag: 'Projects',
    summary: 'Archive a project: its sessions stop, and from then on it can only be read',
    params: byProject,
    response: { status: 200, body: project },
    errors: ['project_protected'],
    whileArchived: true,
    idempotent: false,
  }),
  unarchiveProject: route({
    method: 'POST',
    path: '/api/projects/:project/unarchive',
    role: 'admin',
    tag: 'Projects',
    summary: 'Take a project out of the archive; its sessions stay stopped until they are resumed',
    params: byProject,
    response: { status: 200, body: project },
    whileArchived: true,
    idempotent: false,
  }),
  getProjectSettings: route({
    method: 'GET',
    path: '/api/projects/:project/settings',
    role: 'viewer',
    tag: 'Projects',
    summary: 'Get the settings: own, effective, and where each value comes from',
    params: byProject,
    response: { status: 200, body: projectSettings },
  }),
  updateProjectSettings: route({
    method: 'PATCH',
    path: '/api/projects/:project/settings',
    role: 'admin',
    tag: 'Projects',
    summary: 'Change settings; null takes a setting back to the platform’s value',
    params: byProject,
    body: z.strictObject(
      Object.fromEntries(Object.entries(settings.shape).map(([name, schema]) => [name, schema.nullable()])),
    ),
    response: { status: 200, body: projectSettings },
    ifMatch: true,
  }),
  listProjectChanges: route({
    method: 'GET',
    path: '/api/projects/:project/changes',
    role: 'viewer',
    tag: 'Projects',
    summary: 'Changes of the session list after a revision: a page, or a stream (SSE) that goes on',
    params: byProject,
    query: z.object({
      after: numberInQuery(0, Number.MAX_SAFE_INTEGER).optional().describe('Default: from now on'),
      limit: numberInQuery(1, limits.listPage).default(100),
    }),
    response: {
      status: 200,
      kind: 'sse',
      body: z.object({ items: z.array(projectChange), revision: z.number().int().nonnegative() }),
    },
  }),
} as const
