import { z } from 'zod'
import { limits } from '../limits.ts'
import { gitCredential } from '../settings/git.ts'
import { route } from './route.ts'
import { projectName } from './schemas.ts'

const kinds = gitCredential.options.map(({ shape }) => shape.kind.value)

/** What a git host says of one credential. */
const triedCredential = z.object({
  host: z.string(),
  path: z.string().optional(),
  kind: z.enum(kinds),
  /** The secret's name. */
  secret: z.string(),
  /** `unknown`: the host has no way to ask, or did not answer; only a request of git shows whether it works. */
  state: z.enum(['ok', 'refused', 'unknown']),
  /** Whose it is, by the host's own name. */
  account: z.string().max(200).optional(),
  /** What it allows, where the host says so. */
  scopes: z.array(z.string().max(200)).max(100).optional(),
  expiresAt: z.iso.datetime().optional(),
  /** What should be better, with what to do about it: more rights than Berth needs, an end that is near, or none. */
  warnings: z.array(z.string().max(limits.message)).max(10),
  /** Why it was refused, or why nothing is known of it. */
  message: z.string().max(limits.message).optional(),
})

export const gitCredentialsTest = z.object({
  /** None was refused. */
  ok: z.boolean(),
  items: z.array(triedCredential).max(20),
})

export type GitCredentialsTest = z.infer<typeof gitCredentialsTest>
export type TriedGitCredential = GitCredentialsTest['items'][number]

export const gitCredentialRoutes = {
  testGitCredentials: route({
    method: 'POST',
    path: '/api/projects/:project/git-credentials/test',
    role: 'admin',
    tag: 'Projects',
    summary:
      'Ask GitHub and GitLab what the project’s git credentials are: whose, what they allow, until when, and what should be better',
    params: z.object({ project: projectName }),
    body: z.strictObject({}),
    response: { status: 200, body: gitCredentialsTest },
    idempotent: false,
  }),
} as const
