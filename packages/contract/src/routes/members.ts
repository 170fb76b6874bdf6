import { z } from 'zod'
import { memberKinds, projectRoles } from '../access.ts'
import { actor } from '../actor.ts'
import { limits } from '../limits.ts'
import { route } from './route.ts'
import { projectName } from './schemas.ts'

const byProject = z.object({ project: projectName })

/** What a member's id may be: no control characters, no space at its ends. */
export const memberId = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\s\p{C}](?:[^\p{C}]*[^\s\p{C}])?$/u, 'expected text without control characters')

const byMember = z.object({
  project: projectName,
  kind: z.enum(memberKinds),
  id: memberId.describe('Percent-encoded: an email address, the path of a group, the id of a key'),
})

export const member = z.object({
  kind: z.enum(memberKinds),
  id: z.string(),
  role: z.enum(projectRoles),
  /** Who is shown for it. */
  name: z.string().optional(),
  addedAt: z.iso.datetime(),
  addedBy: actor,
})

export type ProjectMember = z.infer<typeof member>

const force = z
  .enum(['true', 'false'])
  .default('false')
  .describe('`true`: also the last admin. For platform admins only')

export const memberRoutes = {
  listMembers: route({
    method: 'GET',
    path: '/api/projects/:project/members',
    role: 'viewer',
    tag: 'Members',
    summary: 'List who may do what in a project',
    params: byProject,
    response: { status: 200, body: z.object({ items: z.array(member).max(limits.members) }) },
  }),
  setMember: route({
    method: 'PUT',
    path: '/api/projects/:project/members/:kind/:id',
    role: 'admin',
    tag: 'Members',
    summary: 'Add a member, or change the role of one',
    params: byMember,
    query: z.object({ force }),
    body: z.strictObject({ role: z.enum(projectRoles), name: z.string().trim().min(1).max(200).optional() }),
    response: { status: 200, body: member },
    errors: ['last_admin', 'too_many_members', 'member_not_allowed'],
  }),
  removeMember: route({
    method: 'DELETE',
    whileArchived: true,
    path: '/api/projects/:project/members/:kind/:id',
    role: 'admin',
    tag: 'Members',
    summary: 'Remove a member; what it may do ends at once, open streams too',
    params: byMember,
    query: z.object({ force }),
    response: { status: 204 },
    errors: ['last_admin', 'member_not_found'],
  }),
} as const
