import type { Actor, Subject } from '@berth/contract'
import type { Identity } from './identity.ts'
import type { Principal } from './principal.ts'
import { isOneOf } from './session-role.ts'

/** What the operator's configuration gives, beside roles in projects. */
export interface RightsSettings {
  /** Who may do everything. */
  admins: readonly Subject[]
  /** Who may create projects, beside the admins. */
  projectCreators: 'admins' | 'everyone' | readonly Subject[]
}

export const noRights: RightsSettings = { admins: [], projectCreators: 'admins' }

/** A person whom an issuer named, as a principal. */
export const personOf = ({ user, name, groups }: Identity, rights: RightsSettings): Principal =>
  principalOf({ kind: 'user', id: user, ...(name !== undefined && { name }) }, groups, rights)

/** Somebody under an own name and those of groups. */
export const principalOf = (
  actor: Actor & { kind: 'user' | 'service' },
  groups: readonly string[],
  { admins, projectCreators }: RightsSettings,
): Principal => {
  const subjects: Subject[] = [
    { kind: actor.kind, id: actor.id },
    ...groups.map((id) => ({ kind: 'group' as const, id })),
  ]
  const isOne = (list: readonly Subject[]) => list.some((given) => isOneOf(subjects, given))
  const platformAdmin = isOne(admins)
  return {
    actor,
    subjects,
    platformAdmin,
    mayCreateProjects:
      platformAdmin ||
      projectCreators === 'everyone' ||
      (projectCreators !== 'admins' && isOne(projectCreators)),
  }
}
