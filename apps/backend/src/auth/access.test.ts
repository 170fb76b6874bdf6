import {
  allRoutes,
  highestRole,
  includesRole,
  isBerthError,
  type ProjectRole,
  permissionsOf,
  projectRoles,
  type Route,
  routes,
  type Subject,
} from '@berth/contract'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Access } from './access.ts'
import type { Principal } from './principal.ts'

const project = 'web'
const named = (subjects: Subject[], more: Partial<Principal> = {}): Principal => ({
  actor: { kind: 'user', id: 'ada' },
  subjects,
  platformAdmin: false,
  mayCreateProjects: false,
  ...more,
})

/** A policy over a table of members in one project. */
const policy = (members: ReadonlyMap<string, ProjectRole>) => {
  const rolesOf = (subjects: readonly Subject[]) =>
    subjects.flatMap(({ kind, id }) => members.get(`${kind}:${id}`) ?? [])
  return new Access({
    roleOf: async (name, subjects) => (name === project ? highestRole(rolesOf(subjects)) : undefined),
    rolesOf: async (subjects) => {
      const role = highestRole(rolesOf(subjects))
      return new Map(role === undefined ? [] : [[project, role]])
    },
    projectState: async (name) => (name === project ? 'active' : undefined),
    projectSettings: async (name) => (name === project ? { settings: {}, settingsVersion: 1 } : undefined),
    members: async () => [],
    sessionAccess: async () => undefined,
  })
}

const may = async (access: Access, principal: Principal, row: Route, name = project): Promise<boolean> =>
  access.authorise(principal, row, { project: name }).then(
    () => true,
    (error) => {
      if (isBerthError(error)) return false
      throw error
    },
  )

const subject = fc.record({
  kind: fc.constantFrom<Subject['kind']>('user', 'group', 'key', 'service'),
  id: fc.constantFrom('ada', 'bob', '__proto__', 'constructor', 'key_1', 'system:masters', ''),
})
const table = fc
  .array(fc.tuple(subject, fc.constantFrom(...projectRoles)), { maxLength: 8 })
  .map((rows) => new Map(rows.map(([{ kind, id }, role]) => [`${kind}:${id}`, role] as const)))
const rows = Object.values(allRoutes).filter(({ role }) => role !== 'public')
const row = fc.constantFrom(...rows)

describe('[P156] the policy', () => {
  it('gives a higher role at least what a lower one has', async () => {
    await fc.assert(
      fc.asyncProperty(
        row,
        fc.constantFrom(...projectRoles),
        fc.constantFrom(...projectRoles),
        async (one, a, b) => {
          const [low, high] = includesRole(a, b) ? [b, a] : [a, b]
          const allowed = (role: ProjectRole) =>
            may(policy(new Map([['user:ada', role]])), named([{ kind: 'user', id: 'ada' }]), one)
          if (await allowed(low)) expect(await allowed(high)).toBe(true)
        },
      ),
    )
  })

  it('asks only for the set of names, in whatever order, and one more never takes away', async () => {
    await fc.assert(
      fc.asyncProperty(
        row,
        table,
        fc.array(subject, { maxLength: 5 }),
        subject,
        async (one, members, names, more) => {
          const access = policy(members)
          const allowed = await may(access, named(names), one)
          expect(await may(access, named(names.toReversed()), one)).toBe(allowed)
          expect(await may(access, named([...names, ...names]), one)).toBe(allowed)
          if (allowed) expect(await may(access, named([...names, more]), one)).toBe(true)
        },
      ),
    )
  })

  it('knows no role outside of the project, and none without a membership', async () => {
    const ofProject = rows.filter(({ path }) => path.includes('/:project'))
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...ofProject),
        table,
        fc.array(subject),
        async (one, members, names) => {
          const access = policy(members)
          for (const other of ['docs', '__proto__', 'constructor', ''])
            expect(await may(access, named(names), one, other)).toBe(false)
          if (!names.some(({ kind, id }) => members.has(`${kind}:${id}`)))
            expect(await may(access, named(names), one)).toBe(false)
        },
      ),
    )
  })

  it('lists as permissions exactly the rows that it allows', async () => {
    for (const kind of ['user', 'key'] as const)
      for (const role of projectRoles) {
        const subjects: Subject[] = [{ kind, id: 'ada' }]
        const principal = named(subjects, { actor: { kind, id: 'ada' } })
        const access = policy(new Map([[`${kind}:ada`, role]]))
        const allowed = []
        for (const [name, one] of Object.entries(routes))
          if (one.path.startsWith('/api/projects/:project') && (await may(access, principal, one)))
            allowed.push(name)
        expect(permissionsOf(role, kind)).toEqual(allowed.sort())
      }
  })
})
