import { z } from 'zod'

/** Who did something. Set by the backend from the authenticated principal, never by a request. */
export const actor = z.object({
  kind: z.enum(['user', 'key', 'service', 'runner', 'backend', 'scheduler']),
  id: z.string().max(200),
  name: z.string().max(200).optional(),
})

export type Actor = z.infer<typeof actor>

/** The three sides that write to a session's log. */
export type Author = 'people' | 'runner' | 'backend'

/** The side that an actor writes for. */
export const authorOf = (kind: Actor['kind']): Author => {
  if (kind === 'runner') return 'runner'
  return kind === 'backend' ? 'backend' : 'people'
}

/** An address for the owner's commits; nobody can get mail there when the owner has none. */
export const emailOf = (owner: Actor): string =>
  /^[^\s<>@]+@[^\s<>@]+$/.test(owner.id)
    ? owner.id
    : `${owner.id.replace(/[^A-Za-z0-9._-]+/g, '-')}@users.berth.invalid`
