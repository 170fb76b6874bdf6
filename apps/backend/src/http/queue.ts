import { limits, type ProjectQueue, routes, type SessionSummary } from '@berth/contract'
import type { FastifyInstance } from 'fastify'
import type { Waiting } from '../session/admission/admit.ts'
import type { Deps } from './deps.ts'
import { type EndpointOptions, endpoint } from './endpoint.ts'
import { projectSettingsOf } from './projects.ts'

/** The queue for room: computed when it is read, so that no place in it is ever old. */
export const queueEndpoints = (
  app: FastifyInstance,
  { store, service, admission, access }: Deps,
  options: EndpointOptions,
): void => {
  const serve = endpoint(app, options)

  serve(routes.getQueue, async ({ params, principal }): Promise<ProjectQueue> => {
    const reader = await access.readerIn(principal, params.project)
    const { values } = service.settingsOf((await projectSettingsOf(store, params.project)).settings)
    const { waiting, used, capacity } = await admission.view()
    const { memoryMiB = 0, milliCpus = 0 } = used.quotas.get(params.project) ?? {}
    const own = waiting.filter(({ project }) => project === params.project)
    const seen = await store.seen(
      own.map(({ session }) => session),
      reader,
    )
    const shown = own.filter(({ session }) => seen.has(session))
    const items = await Promise.all(shown.slice(0, limits.listPage).map((item) => describe(store, item)))
    return {
      items: items.flatMap((item) => item ?? []),
      waiting: shown.length,
      capacity: {
        sessions: shareOf(used.sessions, capacity.sessions),
        project: shareOf(used.projects.get(params.project) ?? 0, values.liveSessions),
        memoryBytes: shareOf(used.memoryBytes, capacity.memoryBytes),
        projectMemoryMiB: quotaOf(memoryMiB, values.quotaMemoryMiB),
        projectCpus: quotaOf(milliCpus / 1000, values.quotaCpus),
      },
    }
  })
}

const shareOf = (used: number, limit = Infinity) => ({
  used,
  limit: Number.isFinite(limit) ? limit : undefined,
})

const quotaOf = (used: number, limit: number | undefined) =>
  limit === undefined ? undefined : { used, limit }

/** Undefined when it is gone meanwhile. */
const describe = async (
  store: Deps['store'],
  { session, project, position, reason, since }: Waiting,
): Promise<ProjectQueue['items'][number] | undefined> => {
  const text = await store.summary(project, session)
  if (text === undefined) return undefined
  const { title, owner }: SessionSummary = JSON.parse(text)
  return { session, title, owner, position, reason, since: new Date(since).toISOString() }
}
