import { BerthError, routes, type SessionState, type Settings, type Visibility } from '@berth/contract'
import type { FastifyInstance } from 'fastify'
import { bundleOf } from '../checkpoints/bundle.ts'
import { findRef, forkOf, itemOf } from '../checkpoints/find-checkpoint.ts'
import { type ForkRequest, forkSession } from '../checkpoints/fork.ts'
import { pushSession } from '../checkpoints/push/push.ts'
import { refuseDeleted } from '../session/deciders/draft.ts'
import { visibilityFor } from '../session/visibility.ts'
import { decodeCursor, encodeCursor } from '../store/cursor.ts'
import type { Deps } from './deps.ts'
import { type EndpointOptions, endpoint } from './endpoint.ts'
import { projectOf } from './projects.ts'

/** Saved states of a session: what people do with them. */
export const checkpointEndpoints = (app: FastifyInstance, deps: Deps, options: EndpointOptions): void => {
  const { service, store } = deps
  const serve = endpoint(app, options)

  serve(routes.listCheckpoints, async ({ params, query }) => {
    const { limit, cursor } = query
    const below = cursor === undefined ? undefined : Number(decodeCursor(cursor, ['number'])[0])
    const filter = { type: 'checkpoint.saved', below, limit: limit + 1 }
    const lines = await store.eventsOfType(params.session, filter)
    const items = lines.slice(0, limit).map(itemOf)
    const last = items.at(-1)
    return lines.length > limit && last !== undefined ? { items, next: encodeCursor([last.seq]) } : { items }
  })

  serve(routes.pushSession, async ({ params, body, principal, idempotency, audit }) => {
    const state = await service.state(params.session)
    const { unpacking, sandbox } = deps.checkpoints
    const { repositoryRoots: roots, gitRemote } = deps
    const parts = { store, service, unpacking, sandbox, roots, gitRemote }
    return pushSession(parts, { state, body, actor: principal.actor, idempotency, audit })
  })

  serve(routes.getBundle, async ({ params, query, reply }) => {
    const state = await service.state(params.session)
    const { unpacking } = deps.checkpoints
    const { name, size, content } = await bundleOf({ store, unpacking }, { state, ...query })
    const file = `${name}-${params.session}.bundle`
    return reply
      .headers({
        'content-type': 'application/x-git-bundle',
        'content-disposition': `attachment; filename="${file}"`,
        'content-length': size,
      })
      .send(content)
  })

  serve(routes.forkSession, async ({ params, body, principal, idempotency, audit }) => {
    const target = body.project ?? params.project
    await deps.access.authorise(principal, { role: 'editor' }, { project: target })
    const state = await service.state(params.session)
    refuseDeleted(state)
    const { turn, title, labels, prompt } = body
    const project = await projectOf(store, target)
    const visibility = forkVisibility(deps, body.visibility, { state, settings: project.settings })
    const model = await deps.providers.kindOf(target, project.settings.modelProvider)
    await deps.standing.note(principal)
    const { actor } = principal
    const more = { turn, title, labels, prompt, visibility, project, idempotency, audit, actor }
    return forkSession(deps, { state, model, ...more } as ForkRequest)
  })

  serve(routes.getHistory, async ({ params, reply }) => {
    const history = (await forkOf(store, params.session))?.history
    const type = 'application/x-ndjson; charset=utf-8'
    if (history === undefined) return reply.type(type).send('')
    const found = await deps.blobs.get(params.session, history.blob)
    if (found === undefined)
      throw new BerthError('blob_not_found', 'The history of this fork is gone from the blob store.')
    return reply.headers({ 'content-type': type, 'content-length': found.size }).send(found.content)
  })

  serve(routes.restoreWorkspace, async ({ params, body, principal, idempotency, audit }) => {
    const checkpoint = await findRef(deps, await service.state(params.session), body.turn)
    const command = { kind: 'restore-workspace', actor: principal.actor, checkpoint } as const
    return (await service.run({ ...params, idempotency, command, audit })).summary
  })
}

/** A fork of a private session is private too, unless somebody says otherwise. */
const forkVisibility = (
  { service }: Pick<Deps, 'service'>,
  asked: Visibility | undefined,
  { state, settings }: { state: SessionState; settings: Settings },
): Visibility => {
  const wanted = asked ?? (state.summary.visibility === 'private' ? 'private' : undefined)
  return visibilityFor(wanted, service.settingsOf(settings).values)
}
