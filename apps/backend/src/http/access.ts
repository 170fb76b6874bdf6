import {
  BerthError,
  knownSubject,
  type Me,
  type ProjectAccess,
  permissionsOf,
  type Revocation,
  routes,
} from '@berth/contract'
import type { FastifyInstance } from 'fastify'
import type { Principal } from '../auth/principal.ts'
import { decodeCursor, encodeCursor } from '../store/cursor.ts'
import type { Deps } from './deps.ts'
import { type EndpointOptions, endpoint } from './endpoint.ts'

/** What somebody may do, and how all of it is taken away. */
export const accessEndpoints = (app: FastifyInstance, deps: Deps, options: EndpointOptions): void => {
  const { store, streams, access, now } = deps
  const serve = endpoint(app, options)

  serve(routes.getMe, async ({ principal }) => meOf(principal))

  serve(routes.listMyProjects, async ({ query, principal }) => {
    const after = query.cursor === undefined ? '' : String(decodeCursor(query.cursor, ['string'])[0])
    const known = await access.projectsOf(principal)
    if (known === 'all') {
      const { items, next } = await store.projects(query)
      return { items: items.map(({ name }) => ({ project: name, role: 'admin' as const })), next }
    }
    const all = [...known].filter(([name]) => name > after).sort(byName)
    const items = all.slice(0, query.limit).map(([project, role]) => ({ project, role }))
    const last = items.at(-1)
    const next = all.length > items.length && last !== undefined ? encodeCursor([last.project]) : undefined
    return { items, next }
  })

  serve(routes.getProjectAccess, async ({ params, principal }): Promise<ProjectAccess> => {
    const sources = await access.sources(principal, params.project)
    const role = await access.roleIn(principal, params.project)
    if (role === undefined) throw new Error('A member without a role')
    const permissions = permissionsOf(role, principal.actor.kind)
    return { project: params.project, principal: principal.actor, role, sources, permissions }
  })

  serve(routes.revokeAccess, async ({ body, principal, note, store: audited }): Promise<Revocation> => {
    const { keys } = body
    const subject = knownSubject(body.subject)
    refuseOwn(principal, subject)
    note({ object: subject })
    const at = now()
    const revoked = await audited.revokeSubject({ subject, keys, now: at })
    streams.recheck()
    return { subject, revokedBefore: new Date(at).toISOString(), ...revoked }
  })
}

const byName = ([a]: [string, unknown], [b]: [string, unknown]): number => (a < b ? -1 : 1)

const meOf = ({ actor, subjects, platformAdmin, mayCreateProjects, expiresAt }: Principal): Me => ({
  principal: actor,
  platformAdmin,
  mayCreateProjects,
  groups: subjects.flatMap(({ kind, id }) => (kind === 'group' ? [id] : [])),
  expiresAt: expiresAt === undefined ? undefined : new Date(expiresAt).toISOString(),
})

/** Whoever cleans up must still be there afterwards. */
const refuseOwn = ({ subjects }: Principal, { kind, id }: { kind: string; id: string }): void => {
  if (subjects.some((own) => own.kind === kind && own.id === id))
    throw new BerthError(
      'own_access',
      'This would take your own access away. Let another platform admin do it.',
    )
}
