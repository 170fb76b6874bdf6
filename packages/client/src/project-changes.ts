import { type ProjectChange, routes } from '@berth/contract'
import { callRoute } from './call.ts'
import { openStream } from './open-stream.ts'
import { defaultSilenceMs, type StreamOptions } from './read-log.ts'
import { resumeStream } from './resume.ts'
import type { Transport } from './transport.ts'

/**
 * Changes of a project's session list. Without `after` it begins now: the revision is asked for first, so that nothing
 * is lost when the first connection breaks before its first change. After a `reset`, list again; the stream goes on
 * from the revision in it.
 */
export async function* readProjectChanges(
  transport: Transport,
  project: string,
  options: Omit<StreamOptions, 'follow'> = {},
): AsyncGenerator<ProjectChange, void, undefined> {
  const source = { transport, row: routes.listProjectChanges, params: { project } }
  const { signal, onState } = options
  const after = options.after ?? (await currentRevision(transport, project, signal))
  yield* resumeStream<ProjectChange>({
    url: transport.baseUrl + source.row.path,
    after,
    connect: (place, connection) => openStream(source, place, connection),
    parse: parseChange,
    place: (change) => change.revision,
    resets: (change) => change.type === 'reset',
    silenceMs: options.silenceMs ?? defaultSilenceMs,
    retry: transport.retry,
    ambient: transport.ambient,
    signal,
    onState,
  })
}

const currentRevision = async (transport: Transport, project: string, signal: AbortSignal | undefined) => {
  const input = { params: { project }, query: { limit: 1 }, ...(signal === undefined ? {} : { signal }) }
  const page = await callRoute(transport, routes.listProjectChanges, input)
  return (page as { revision: number }).revision
}

/** Only what the stream itself needs is checked: an older reader tolerates a newer writer's summaries. */
const parseChange = (value: unknown): ProjectChange => {
  const { type, revision } = value as Partial<ProjectChange>
  if (typeof type !== 'string' || typeof revision !== 'number') throw new TypeError('not a change')
  return value as ProjectChange
}
