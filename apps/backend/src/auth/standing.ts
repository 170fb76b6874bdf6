import type { Actor, ProjectRole, Subject } from '@berth/contract'
import type { Store } from '../store/port.ts'
import type { Principal } from './principal.ts'
import { isOneOf, sessionRole } from './session-role.ts'

export interface StandingOptions {
  store: Pick<
    Store,
    'roleOf' | 'sessionAccess' | 'groupsOf' | 'noteGroups' | 'keyCredential' | 'projectSettings'
  >
  /** The one owner of an installation. */
  owner: string
  /** Who may do everything, as the configuration says. */
  admins: readonly Subject[]
  now: () => number
}

/**
 * What somebody may do who asked for something earlier and does not ask now, such as the sender of the prompt that an agent
 * works on. Roles are asked of the store as for a request. Groups are known only while somebody asks: those that were seen last
 * count.
 */
export class Standing {
  readonly #options: StandingOptions

  constructor(options: StandingOptions) {
    this.#options = options
  }

  /** Keeps the groups of whoever sends something, for as long as it may be worked on. */
  async note({ actor, subjects }: Principal): Promise<void> {
    if (actor.kind !== 'user' && actor.kind !== 'service') return
    const groups = subjects.flatMap(({ kind, id }) => (kind === 'group' ? [id] : []))
    const { store, now } = this.#options
    const subject = { kind: actor.kind, id: actor.id }
    // Most people have none, and a look costs no turn of the one writer.
    if (groups.length === 0 && (await store.groupsOf(subject)).length === 0) return
    await store.noteGroups({ subject, groups, now: now() })
  }

  /** The role of somebody in a session at this moment; undefined: none, also where the key has expired. */
  async roleIn(
    { kind, id }: Actor,
    { project, session }: { project: string; session: string },
  ): Promise<ProjectRole | undefined> {
    const { store, owner, admins } = this.#options
    if (kind !== 'user' && kind !== 'key' && kind !== 'service') return undefined
    if (kind === 'key' && !(await this.#counts(id))) return undefined
    const subjects: Subject[] = [{ kind, id }]
    if (kind !== 'key')
      subjects.push(
        ...(await store.groupsOf({ kind, id })).map((group) => ({ kind: 'group' as const, id: group })),
      )
    const isAdmin = (kind === 'user' && id === owner) || subjects.some((own) => isOneOf(admins, own))
    if (isAdmin) return (await store.projectSettings(project)) === undefined ? undefined : 'admin'
    const [role, access] = await Promise.all([
      store.roleOf(project, subjects),
      store.sessionAccess(project, session),
    ])
    return access === undefined ? undefined : sessionRole({ role, subjects }, access)
  }

  async #counts(key: string): Promise<boolean> {
    const found = await this.#options.store.keyCredential(key)
    return found !== undefined && found.expiresAt > this.#options.now()
  }
}
