import { type Actor, BerthError, type ProjectRole, projectRoles, type RouteRole } from '@berth/contract'

/** Who is asking, and what they may do. Made by the backend from a credential, never from a request's words. */
export interface Principal {
  actor: Actor
  platformAdmin: boolean
  /** May read the metrics, as platform admins may. Default: false. */
  readsMetrics?: boolean
  /** Role per project; `*` counts where no other is given. */
  roles: Record<string, ProjectRole>
}

/** The role of a principal in a project; undefined: none, the project is not theirs to know. */
export const roleIn = (principal: Principal, project: string): ProjectRole | undefined =>
  principal.platformAdmin ? 'admin' : (given(principal, project) ?? given(principal, '*'))

/** Names come from requests, so what every object inherits must not count as a role. */
const given = ({ roles }: Principal, project: string) =>
  Object.hasOwn(roles, project) ? roles[project] : undefined

export const projectNotFound = (name: string) =>
  new BerthError('project_not_found', `There is no project ${name}.`)

/**
 * Rejects unless the principal has what the route row asks for. A project where the principal has no role answers as
 * one that does not exist.
 */
export const authorise = (
  principal: Principal | undefined,
  role: RouteRole,
  project: string | undefined,
): void => {
  if (role === 'public') return
  if (principal === undefined)
    throw new BerthError(
      'unauthenticated',
      'Send the token as `Authorization: Bearer …`, or sign in with a login link.',
    )
  if (role === 'principal') return
  if (role === 'runner') throw new BerthError('forbidden', 'Only a session’s runner may call this.')
  if (role === 'metrics' && principal.readsMetrics === true) return
  if (role === 'platform-admin' || role === 'metrics') {
    if (!principal.platformAdmin) throw new BerthError('forbidden', 'Only a platform admin may do this.')
    return
  }
  const actual = project === undefined ? undefined : roleIn(principal, project)
  if (actual === undefined) throw projectNotFound(project ?? '')
  if (projectRoles.indexOf(actual) < projectRoles.indexOf(role))
    throw new BerthError('forbidden', `This needs the role ${role}; yours in ${project} is ${actual}.`)
}
