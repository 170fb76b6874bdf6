import { z } from 'zod'
import { memberKinds, projectRoles, subject } from '../access.ts'
import { actor } from '../actor.ts'
import { memberId } from './members.ts'
import { route } from './route.ts'
import { page, pageQuery, projectName } from './schemas.ts'

const role = z.enum(projectRoles)

/** Who somebody is, and what they may do outside of projects. */
export const me = z.object({
  principal: actor,
  /** May do everything in every project. */
  platformAdmin: z.boolean(),
  mayCreateProjects: z.boolean(),
  /** Groups whose memberships count. */
  groups: z.array(z.string()),
  /** When the credential ends; missing: never by itself. */
  expiresAt: z.iso.datetime().optional(),
})

export type Me = z.infer<typeof me>

/** A project in which the caller has a role. */
const myProject = z.object({ project: z.string(), role })

/** Where a role comes from: a membership of one's own or of a group, or the platform. */
export const roleSource = z.object({
  kind: z.enum([...memberKinds, 'platform-admin']),
  id: z.string(),
  role,
})

export type RoleSource = z.infer<typeof roleSource>

export const projectAccess = z.object({
  project: z.string(),
  principal: actor,
  /** The highest of its sources. */
  role,
  sources: z.array(roleSource),
  /** The operations (`operationId` in `/openapi.json`) of this project that the role allows, by name. */
  permissions: z.array(z.string()),
})

export type ProjectAccess = z.infer<typeof projectAccess>

/** What an incident's revocation did. */
export const revocation = z.object({
  subject,
  /** Tokens and browser sessions of before this time count no more. */
  revokedBefore: z.iso.datetime(),
  memberships: z.array(z.object({ project: z.string(), role })),
  /** API keys that were revoked. */
  keys: z.array(z.object({ project: z.string(), id: z.string(), name: z.string() })),
  /** Browser sessions and login links that were ended. */
  sessions: z.number().int().nonnegative(),
  /** Projects that have no admin any more: make somebody one. */
  withoutAdmin: z.array(z.string()),
})

export type Revocation = z.infer<typeof revocation>

export const accessRoutes = {
  getMe: route({
    method: 'GET',
    path: '/api/me',
    role: 'principal',
    tag: 'Access',
    summary: 'Who you are, and what you may do outside of projects',
    response: { status: 200, body: me },
  }),
  listMyProjects: route({
    method: 'GET',
    path: '/api/me/projects',
    role: 'principal',
    tag: 'Access',
    summary: 'Your projects, with your role in each, by name',
    query: pageQuery,
    response: { status: 200, body: page(myProject) },
    errors: ['invalid_cursor'],
  }),
  getProjectAccess: route({
    method: 'GET',
    path: '/api/projects/:project/access',
    role: 'viewer',
    tag: 'Access',
    summary: 'Your role in a project, where it comes from, and what it allows',
    params: z.object({ project: projectName }),
    response: { status: 200, body: projectAccess },
  }),
  revokeAccess: route({
    method: 'POST',
    path: '/api/access/revoke',
    role: 'platform-admin',
    tag: 'Access',
    summary:
      'Take everything from somebody at once: memberships, keys, browser sessions, tokens of before now',
    body: z.strictObject({
      subject: z.strictObject({ kind: z.enum(memberKinds), id: memberId }),
      keys: z.boolean().default(false).describe('Also revoke the API keys that they made'),
    }),
    response: { status: 200, body: revocation },
    errors: ['own_access'],
    idempotent: false,
  }),
} as const
