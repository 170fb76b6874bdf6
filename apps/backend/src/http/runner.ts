import { BerthError, type Fact, limits, runnerRoutes, turnId } from '@berth/contract'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { sha256 } from '../auth/sha256.ts'
import { maxRequestBytes } from '../gateway/gateway.ts'
import { checkSource, checkTransfer } from '../operations/transfers.ts'
import { hideInTexts } from '../session/redact/hide-in-texts.ts'
import { hiderOf } from '../session/redact/hider.ts'
import type { RunnerIdentity } from '../store/port.ts'
import { baseOf } from './bases.ts'
import { takeBytes, withBody } from './byte-body.ts'
import type { Deps } from './deps.ts'
import { type EndpointOptions, endpoint } from './endpoint.ts'
import { eventPage } from './events.ts'
import { runnerOf } from './runner-of.ts'
import { resumeAt, wantsStream } from './stream.ts'
import { withSecrets } from './with-secrets.ts'

/** Finds the runner by its token. A generation that is over is fenced out. */
export const authoriseRunner = async ({ store }: Deps, request: FastifyRequest): Promise<RunnerIdentity> => {
  const token = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
  const runner = token === undefined ? undefined : await store.runner(sha256(token))
  if (runner === undefined) throw new BerthError('unauthenticated', 'This token is not one of a runner.')
  if (!runner.current)
    throw new BerthError('fenced', `Generation ${runner.generation} is over; a newer one took over.`)
  request.runner = runner
  return runner
}

/** The runners' routes. */
export const runnerEndpoints = (app: FastifyInstance, deps: Deps, options: EndpointOptions): void => {
  const { store, service, streams, events, blobs } = deps
  const serve = endpoint(app, options)

  serve(runnerRoutes.runnerHello, async ({ request }) => welcome(deps, runnerOf(request)))

  serve(runnerRoutes.runnerFacts, async ({ request, body, principal }) => {
    const { session, project, generation, secrets: stamp } = runnerOf(request)
    const texts = await hideInTexts(deps, { session, project, stamp, facts: body.facts as Fact[] })
    const command = {
      kind: 'facts',
      actor: principal.actor,
      generation,
      source: body.generation,
      facts: texts.facts,
    } as const
    const { state } = await service.run({ session, project, stamp, command })
    await texts.done()
    return { n: body.generation === generation ? state.n : (state.previous?.n ?? 0) }
  })

  serve(runnerRoutes.runnerEvents, async ({ request, reply, query }) => {
    const { session } = runnerOf(request)
    const after = query.after ?? 0
    if (!wantsStream(request)) return eventPage(deps, session, { after, limit: query.limit })
    await streams.serve({ request, reply }, { tail: events, key: session, after: resumeAt(request, after) })
    return undefined
  })

  serve(runnerRoutes.runnerHeartbeat, async ({ request, body }) => {
    const { session, generation } = runnerOf(request)
    await store.heartbeat(session, generation, { now: deps.now(), memoryBytes: body.memoryBytes })
    return undefined
  })

  serve(runnerRoutes.runnerLogs, async ({ request, body }) => {
    const { session, project, generation, secrets: stamp } = runnerOf(request)
    const hider = hiderOf(await deps.secrets.hidden(project, stamp))
    const lines =
      hider === undefined ? body.lines : body.lines.map((line) => ({ ...line, text: hider.whole(line.text) }))
    await store.addLogs(session, generation, lines)
    return undefined
  })

  serve(runnerRoutes.runnerGetTransfer, async ({ request, reply, params }) => {
    await checkSource(deps, runnerOf(request).session, params.transfer)
    const found = await blobs.get(params.transfer, params.blob)
    if (found === undefined) throw new BerthError('blob_not_found', `There is no part ${params.blob}.`)
    return reply
      .headers({ 'content-type': 'application/octet-stream', 'content-length': found.size })
      .send(found.content)
  })

  serve(runnerRoutes.runnerGetBlob, async ({ request, reply, params }) => {
    const found = await blobs.get(runnerOf(request).session, params.blob)
    if (found === undefined) throw new BerthError('blob_not_found', `There is no blob ${params.blob}.`)
    return reply
      .headers({ 'content-type': 'application/octet-stream', 'content-length': found.size })
      .send(found.content)
  })
}

/** Blobs come as bytes of any media type, which are passed on as they arrive. */
export const blobUpload = (app: FastifyInstance, deps: Deps, options: EndpointOptions): void => {
  takeBytes(app)
  const serve = endpoint(app, options)
  const receive = async (request: FastifyRequest, scope: string, { blob, maxBytes }: BlobName) => {
    if (Number(request.headers['content-length'] ?? 0) > maxBytes)
      throw new BerthError('too_large', `A blob has at most ${maxBytes} bytes here.`)
    await withBody(request, (content) => deps.blobs.put(scope, { blob, content, maxBytes }))
    return undefined
  }

  serve(runnerRoutes.runnerPutBlob, ({ request, params }) =>
    receive(request, runnerOf(request).session, { ...params, maxBytes: limits.blob }),
  )

  serve(runnerRoutes.runnerPutBasePart, async ({ request, params }) => {
    const { scope } = await baseOf(deps, request, params.base)
    return receive(request, scope, { blob: params.blob, maxBytes: limits.blob })
  })

  serve(runnerRoutes.runnerPutTransfer, async ({ request, params }) => {
    await checkTransfer(deps, runnerOf(request).session, params.transfer)
    return receive(request, params.transfer, { blob: params.blob, maxBytes: limits.transferPart })
  })
}

type BlobName = { blob: string; maxBytes: number }

/** The gateway below `/runner/model`: any method and body, so it has no row of its own. */
export const modelEndpoints = (app: FastifyInstance, deps: Deps): void => {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: maxRequestBytes }, (_request, body, done) =>
    done(null, body),
  )
  app.route({
    method: ['GET', 'POST', 'HEAD'],
    url: '/runner/model/*',
    bodyLimit: maxRequestBytes,
    handler: async (request, reply) => {
      const runner = await authoriseRunner(deps, request)
      const turn = request.headers['berth-turn']
      reply.hijack()
      await deps.gateway.handle({
        runner,
        request: request.raw,
        response: reply.raw,
        path: request.url.slice('/runner/model'.length),
        body: request.body as Buffer | undefined,
        turn: turnId.safeParse(turn).data,
      })
    },
  })
}

const welcome = async (deps: Deps, runner: RunnerIdentity) => {
  const { service, store, repositoryRoots } = deps
  const state = await service.state(runner.session)
  const { summary, settings, n, previous, conversation, repositories, checkpoint, restore } = state
  const project = await store.projectSettings(runner.project)
  return {
    session: runner.session,
    project: runner.project,
    generation: runner.generation,
    n,
    previous,
    cursor: summary.seq,
    owner: summary.owner,
    repositories,
    repositoryRoots: [...repositoryRoots],
    settings: await withSecrets(deps, runner, deps.service.settingsOf(project?.settings, settings).values),
    conversation,
    checkpoint,
    restore,
    resumed: runner.generation > 1,
    leaving: summary.status.phase === 'stopping' ? summary.status.reason : undefined,
  }
}
