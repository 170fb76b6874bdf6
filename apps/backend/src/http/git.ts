import type { Readable } from 'node:stream'
import { BerthError, isBerthError, runnerRoutes, toProblem } from '@berth/contract'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { GitService } from '../git-proxy/git-policy.ts'
import type { GitAnswer } from '../git-proxy/git-proxy.ts'
import { parseTarget } from '../git-proxy/git-target.ts'
import { pktLine } from '../git-proxy/pkt-line.ts'
import { takeBytes } from './byte-body.ts'
import type { Deps } from './deps.ts'
import { type EndpointOptions, endpoint } from './endpoint.ts'
import { runnerOf } from './runner-of.ts'

/** The git proxy, for runners and their agents. */
export const gitEndpoints = (app: FastifyInstance, deps: Deps, options: EndpointOptions): void => {
  takeBytes(app)
  app.setErrorHandler(tellGit)
  const serve = endpoint(app, options)

  serve(runnerRoutes.runnerGitRefs, async ({ request, reply, params, query }) =>
    pass(deps, { request, reply }, { ...params, rest: '/info/refs', service: query.service }),
  )

  serve(runnerRoutes.runnerGitService, async ({ request, reply, params }) => {
    const service = services.find((name) => pathOf(request).endsWith(`/${name}`))
    if (service === undefined) throw noAddress(request)
    const body = request.body as Readable | undefined
    if (body === undefined) throw new BerthError('git_refused', 'git sends a body with this request.')
    return pass(deps, { request, reply }, { ...params, rest: `/${service}`, service, body })
  })
}

const services = ['git-upload-pack', 'git-receive-pack'] as const

interface Asked {
  scheme: 'https' | 'http'
  /** What comes behind the repository. */
  rest: string
  service: GitService
  body?: Readable
}

/** As it was sent: decoding is the business of whoever judges the parts. */
const pathOf = (request: FastifyRequest): string => request.url.split('?')[0] ?? ''

const noAddress = (request: FastifyRequest) =>
  new BerthError('git_refused', `${pathOf(request).slice(0, 200)} is no address of a repository.`)

const pass = async (
  { git }: Deps,
  { request, reply }: { request: FastifyRequest; reply: FastifyReply },
  { scheme, rest, service, body }: Asked,
): Promise<FastifyReply> => {
  const path = pathOf(request)
  const place = path.slice(`/runner/git/${scheme}/`.length, -rest.length)
  const target = path.endsWith(rest) ? parseTarget(scheme, place) : undefined
  if (target === undefined) throw noAddress(request)
  const gone = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort()
  })
  const { headers } = request
  const call = { runner: runnerOf(request), service, target, headers, body, gone: gone.signal }
  return send(reply, await git.answer(call))
}

const send = (reply: FastifyReply, { status, headers, body }: GitAnswer): FastifyReply =>
  reply.code(status).headers(headers).send(body)

/**
 * An error as git prints it: the text of an answer to the first request, and a packet in the answer to the others. Anybody else
 * gets a problem like everywhere.
 */
const tellGit = (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
  if (!isBerthError(error) || !/^git\//.test(request.headers['user-agent'] ?? '')) throw error
  const { status, code } = toProblem(error, request.id)
  // The runner and its door come back when they are told so.
  if (code === 'unavailable') reply.header('berth-retry', '1')
  const text = `berth: ${error.message}\n`
  if (request.method === 'GET' || !pathOf(request).endsWith('/git-upload-pack') || status === 503)
    return reply.code(status).type('text/plain; charset=utf-8').send(text)
  return reply
    .code(200)
    .type('application/x-git-upload-pack-result')
    .send(pktLine(`ERR ${text}`))
}
