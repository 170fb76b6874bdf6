import { BerthError, includesRole, type ProjectRole, type Route } from '@berth/contract'
import type { AccessStore } from '../store/access-store.ts'
import type { Principal } from './principal.ts'

export const projectNotFound = (name: string) =>
  new BerthError('project_not_found', `There is no project ${name}.`)

/** What principals may do. Asks the store each time: a role that was taken away is gone with the next request. */
export class Access {
  readonly #store: Pick<AccessStore, 'roleOf' | 'rolesOf'>

  constructor(store: Pick<AccessStore, 'roleOf' | 'rolesOf'>) {
    this.#store = store
  }

  /** The role of a principal in a project; undefined: none, the project is not theirs to know. */
  async roleIn(principal: Principal, project: string): Promise<ProjectRole | undefined> {
    return principal.platformAdmin ? 'admin' : this.#store.roleOf(project, principal.subjects)
  }

  /** The projects that a principal may know of; `all`: every one. */
  async projectsOf(principal: Principal): Promise<'all' | ReadonlySet<string>> {
    return principal.platformAdmin ? 'all' : new Set((await this.#store.rolesOf(principal.subjects)).keys())
  }

  /**
   * Rejects unless the principal has what the route's row asks for. A project where the principal has no role answers as one
   * that does not exist.
   */
  async authorise(
    principal: Principal | undefined,
    { role }: Pick<Route, 'role'>,
    { project }: { project?: string },
  ): Promise<void> {
    if (role === 'public') return
    if (principal === undefined)
      throw new BerthError(
        'unauthenticated',
        'Send the token as `Authorization: Bearer …`, or sign in with a login link.',
      )
    switch (role) {
      case 'principal':
        return
      case 'runner':
        throw new BerthError('forbidden', 'Only a session’s runner may call this.')
      case 'metrics':
        if (principal.readsMetrics === true || principal.platformAdmin) return
        throw new BerthError('forbidden', 'Only who collects metrics, or a platform admin, may do this.')
      case 'platform-admin':
        if (principal.platformAdmin) return
        throw new BerthError('forbidden', 'Only a platform admin may do this.')
      case 'creator':
        if (principal.mayCreateProjects || principal.platformAdmin) return
        throw new BerthError('forbidden', 'You may not create projects. Ask a platform admin for one.')
      default:
        return this.#requireRole(principal, role, project ?? '')
    }
  }

  async #requireRole(principal: Principal, role: ProjectRole, project: string): Promise<void> {
    const actual = await this.roleIn(principal, project)
    if (actual === undefined) throw projectNotFound(project)
    if (!includesRole(actual, role))
      throw new BerthError('forbidden', `This needs the role ${role}; yours in ${project} is ${actual}.`)
  }
}
