import { includesRole, type MemberKind, type ProjectRole, projectRoles } from '../access.ts'
import type { Actor } from '../actor.ts'
import { routes } from './index.ts'
import type { Route } from './route.ts'

const ofProjects = (Object.entries(routes) as [string, Route][]).filter(([, { path }]) =>
  path.startsWith('/api/projects/:project'),
)

const needed = ({ role }: Route): ProjectRole | undefined => projectRoles.find((known) => known === role)

/**
 * The operations of a project that a role allows, by name: what the backend would let through. Of those for the owner of a session,
 * others than admins may use them in sessions of their own.
 */
export const permissionsOf = (role: ProjectRole, kind: MemberKind | Actor['kind']): string[] =>
  ofProjects
    .filter(([, row]) => {
      const least = needed(row)
      return least !== undefined && includesRole(role, least) && (row.keys !== false || kind !== 'key')
    })
    .map(([name]) => name)
    .sort()
