import {
  BerthError,
  includesRole,
  type ProjectRole,
  type RoleSource,
  type Route,
  type SessionAccess,
  sessionId,
} from '@berth/contract'
import type { Store } from '../store/port.ts'
import type { Principal } from './principal.ts'
import { type Reader, sessionRole } from './session-role.ts'

export const projectNotFound = (name: string) =>
  new BerthError('project_not_found', `There is no project ${name}.`)

const sessionNotFound = (session: string) =>
  new BerthError('session_not_found', `There is no session ${session} in this project.`)

/** What access is decided from. */
export type Rights = Pick<
  Store,
  'roleOf' | 'rolesOf' | 'members' | 'sessionAccess' | 'projectSettings' | 'projectState'
>

type Row = Pick<Route, 'role' | 'owner' | 'keys' | 'whileDeleting'>

/** Where a request leads. */
interface Place {
  project?: string
  session?: string
}

/** What principals may do. Asks the store each time: a role that was taken away is gone with the next request. */
export class Access {
  readonly #store: Rights

  constructor(store: Rights) {
    this.#store = store
  }

  /** The role of a principal in a project; undefined: none, the project is not theirs to know. */
  async roleIn(principal: Principal, project: string, deleting = false): Promise<ProjectRole | undefined> {
    if (!principal.platformAdmin) return this.#store.roleOf(project, principal.subjects, { deleting })
    const known = deleting ? this.#store.projectState(project) : this.#store.projectSettings(project)
    return (await known) === undefined ? undefined : 'admin'
  }

  /** A principal as a reader of a project; rejects with `project_not_found` when it has no role there. */
  async readerIn(principal: Principal, project: string): Promise<Reader> {
    const role = await this.roleIn(principal, project)
    if (role === undefined) throw projectNotFound(project)
    return { role, subjects: principal.subjects }
  }

  /** The projects that a principal may know of; `all`: every one. */
  async projectsOf(principal: Principal): Promise<'all' | ReadonlyMap<string, ProjectRole>> {
    return principal.platformAdmin ? 'all' : this.#store.rolesOf(principal.subjects)
  }

  /** Where the role of a principal in a project comes from. */
  async sources({ actor, subjects, platformAdmin }: Principal, project: string): Promise<RoleSource[]> {
    const own = new Set(subjects.map(({ kind, id }) => `${kind}:${id}`))
    const members = (await this.#store.members(project)).filter(({ kind, id }) => own.has(`${kind}:${id}`))
    const sources: RoleSource[] = members.map(({ kind, id, role }) => ({ kind, id, role }))
    return platformAdmin ? [{ kind: 'platform-admin', id: actor.id, role: 'admin' }, ...sources] : sources
  }

  /**
   * Whatever names a session passes through here, so no handler asks again whether it is one of its project.
   *
   * Rejects unless the principal has what the route's row asks for. A project where the principal has no role, and a session
   * that it may not see, answer as one that does not exist.
   */
  async authorise(principal: Principal | undefined, row: Row, place: Place): Promise<void> {
    const { role } = row
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
        return this.#inProject(principal, { ...row, role }, place)
    }
  }

  async #inProject(principal: Principal, row: Row & { role: ProjectRole }, place: Place): Promise<void> {
    const { project = '', session } = place
    // Side by side: with a database on the network each question is a way there and back.
    const [actual, found] = await Promise.all([
      this.roleIn(principal, project, row.whileDeleting),
      this.#accessOf(project, session),
    ])
    if (actual === undefined) throw projectNotFound(project)
    if (!includesRole(actual, row.role))
      throw new BerthError('forbidden', `This needs the role ${row.role}; yours in ${project} is ${actual}.`)
    if (row.keys === false && principal.actor.kind === 'key')
      throw new BerthError('forbidden', 'This is not for API keys, whatever their role. Ask a person.')
    const known = see({ role: actual, ...principal }, session, found)
    if (known !== undefined && !includesRole(known.role, row.role))
      throw new BerthError(
        'forbidden',
        `This needs the role ${row.role}; the session is shared with you as ${known.role}.`,
      )
    if (row.owner === true && actual !== 'admin' && known?.own === false)
      throw new BerthError(
        'forbidden',
        'Only the owner of the session, or an admin of the project, may do this.',
      )
  }

  /** What is no id of a session is left to whoever reads the request: it says so in more words. */
  async #accessOf(project: string, session: string | undefined): Promise<SessionAccess | undefined> {
    return isSession(session) ? this.#store.sessionAccess(project, session) : undefined
  }
}

const isSession = (session: string | undefined): session is string =>
  session !== undefined && sessionId.safeParse(session).success

const see = (
  reader: Reader & Pick<Principal, 'actor'>,
  session: string | undefined,
  found: SessionAccess | undefined,
): { own: boolean; role: ProjectRole } | undefined => {
  if (!isSession(session)) return undefined
  const role = found === undefined ? undefined : sessionRole(reader, found)
  if (found === undefined || role === undefined) throw sessionNotFound(session)
  const { kind, id } = found.owner
  return { role, own: kind === reader.actor.kind && id === reader.actor.id }
}
