import { BerthError, routes } from '@berth/contract'
import type { FastifyInstance } from 'fastify'
import { referencesOf } from '../secrets/references.ts'
import type { Deps } from './deps.ts'
import { type EndpointOptions, endpoint } from './endpoint.ts'
import { projectSettingsOf } from './projects.ts'

/** Secrets of projects, and the keys with which they are sealed. No answer holds a value. */
export const secretEndpoints = (app: FastifyInstance, deps: Deps, options: EndpointOptions): void => {
  const { secrets, now } = deps
  const serve = endpoint(app, options)

  serve(routes.listSecrets, async ({ params, store }) => {
    await projectSettingsOf(store, params.project)
    return { items: await secrets.list(params.project) }
  })

  serve(routes.putSecret, ({ params, body, principal, store, note }) => {
    note({ object: { kind: 'secret', id: params.name }, details: { kind: body.kind } })
    return secrets.put({ ...params, setBy: principal.actor }, body, store)
  })

  serve(routes.deleteSecret, async ({ params: { project, name }, query, store, note }) => {
    note({ object: { kind: 'secret', id: name } })
    const { settings } = await projectSettingsOf(store, project)
    const users = referencesOf(settings).filter((reference) => reference.name === name)
    if (users.length > 0 && !query.force)
      throw new BerthError(
        'secret_in_use',
        `The settings of ${project} refer to the secret ${name}: ${users.map(({ field }) => field).join(', ')}. Change them first, or delete it with force=true.`,
      )
    await store.deleteSecret({ project, name, now: now() })
    return undefined
  })

  serve(routes.listSealingKeys, async () => ({ items: await secrets.keys() }))

  serve(routes.rekeySecrets, ({ body, store }) => secrets.rekey(body.limit, store))
}
