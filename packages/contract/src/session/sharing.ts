import { z } from 'zod'
import { memberKinds } from '../access.ts'
import { limits } from '../limits.ts'

/**
 * Who in a project sees a session: `project`: whoever has a role there; `private`: its owner, those with whom it is
 * shared, and the project's admins.
 */
export const visibility = z.enum(['project', 'private'])
export type Visibility = z.infer<typeof visibility>

/** What a share can give; never more than the role in the project. */
const shareRole = z.enum(['viewer', 'editor'])

/** Somebody who sees a private session without owning it. Gives nothing to who has no role in the project. */
export const share = z.strictObject({
  kind: z.enum(memberKinds),
  id: z.string().min(1).max(200),
  role: shareRole,
})
export type Share = z.infer<typeof share>

const isDistinct = (list: readonly Share[]) =>
  new Set(list.map(({ kind, id }) => `${kind}:${id}`)).size === list.length

export const shares = z.array(share).max(limits.shares).refine(isDistinct, 'names somebody twice')

/** What decides who sees a session. */
export interface SessionAccess {
  owner: { kind: string; id: string }
  visibility: Visibility
  shares: readonly Share[]
}
