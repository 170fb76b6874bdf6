import { z } from 'zod'
import { limits } from '../limits.ts'
import { branchName, repositoryUrl } from '../repository.ts'

/** Where a workflow comes from: a directory of a git repository, with `.ambient/ambient.json` and its own `.claude/`. */
export const workflowSource = z.strictObject({
  /** URL or absolute local path, as of a repository. */
  url: repositoryUrl,
  /** Default: the remote's default branch. */
  branch: branchName.optional(),
  /** Directory in the repository. Default: its root. */
  path: z
    .string()
    .max(500)
    .regex(/^[^/\0\\]+(\/[^/\0\\]+)*$/, 'expected a relative path')
    .refine((path) => !path.split('/').includes('..'), 'must not contain ..')
    .optional(),
})

export type WorkflowSource = z.infer<typeof workflowSource>

/** What `.ambient/ambient.json` says. Keys that nobody knows are ignored: the format is shared with other platforms. */
export const workflowManifest = z.object({
  name: z.string().trim().min(1).max(200),
  description: z.string().max(limits.message).optional(),
  /** Added to the system prompt. */
  systemPrompt: z.string().max(limits.instructions).optional(),
  /** The first prompt of a session that has none. */
  startupPrompt: z.string().max(limits.instructions).optional(),
  /** Files that the workflow makes: a title for each path or pattern. */
  results: z.record(z.string().max(200), z.string().max(1000)).optional(),
})

export type WorkflowManifest = z.infer<typeof workflowManifest>
