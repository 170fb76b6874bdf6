import { BerthError, knownSubject, type ProjectMember, routes } from '@berth/contract'
import type { FastifyInstance } from 'fastify'
import type { Principal } from '../auth/principal.ts'
import type { Member } from '../store/access-store.ts'
import type { Deps } from './deps.ts'
import { type EndpointOptions, endpoint } from './endpoint.ts'

/** Who may do what in a project. */
export const memberEndpoints = (app: FastifyInstance, deps: Deps, options: EndpointOptions): void => {
  const { store, streams, now } = deps
  const serve = endpoint(app, options)

  serve(routes.listMembers, async ({ params }) => ({
    items: (await store.members(params.project)).map(wireMember),
  }))

  serve(routes.setMember, async ({ params, store: audited, query, body, principal }) => {
    const { project } = params
    const { kind, id } = knownSubject(params)
    checkSubject({ kind, id })
    if (kind === 'key') await checkKey(deps, id)
    refuseGrant(principal, body.role)
    const member = { project, kind, id, ...body, addedAt: now(), addedBy: principal.actor }
    const set = await audited.setMember(member, rightsOf(principal, query.force))
    streams.recheck()
    return wireMember(set)
  })

  serve(routes.removeMember, async ({ params, store: audited, query, principal }) => {
    const { project, ...given } = params
    const subject = knownSubject(given)
    const removed = await audited.removeMember(project, subject, rightsOf(principal, query.force))
    if (!removed)
      throw new BerthError(
        'member_not_found',
        `The ${subject.kind} ${subject.id} is no member of ${project}.`,
      )
    streams.recheck()
    return undefined
  })
}

const wireMember = ({ project: _, addedAt, ...member }: Member): ProjectMember => ({
  ...member,
  addedAt: new Date(addedAt).toISOString(),
})

/** Only platform admins force; a key changes neither who is an admin nor what an admin is. */
const rightsOf = ({ actor, platformAdmin }: Principal, force: 'true' | 'false') => {
  if (force === 'true' && !platformAdmin)
    throw new BerthError('forbidden', 'Only a platform admin may take away the last admin.')
  return { force: force === 'true', sparesAdmins: actor.kind === 'key' }
}

const refuseGrant = ({ actor }: Principal, role: string): void => {
  if (actor.kind === 'key' && role === 'admin')
    throw new BerthError('forbidden', 'An API key can’t make anybody an admin. Ask a person who is one.')
}

/** Names that no user can have would be memberships of nobody, and a mistake in the kind. */
const checkSubject = ({ kind, id }: { kind: string; id: string }): void => {
  if (kind !== 'key' && id.startsWith('key_'))
    throw new BerthError('member_not_allowed', `${id} is the id of an API key. Add it as the kind key.`)
  if (kind !== 'group' && id.startsWith('system:'))
    throw new BerthError('member_not_allowed', `Nobody signs in as ${id}: such names belong to Kubernetes.`)
}

const checkKey = async ({ store }: Deps, id: string): Promise<void> => {
  if ((await store.keyCredential(id)) === undefined)
    throw new BerthError('member_not_allowed', `There is no API key ${id}, or it is revoked.`)
}
