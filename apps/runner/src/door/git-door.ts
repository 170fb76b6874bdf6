import type { IncomingMessage, ServerResponse } from 'node:http'
import { BodyTooLarge, readBody } from './body.ts'
import { gitError, gitHeaders, gitHeadersBack } from './git-request.ts'
import { onceBody } from './once-body.ts'
import type { Relay } from './relay.ts'

export interface GitDoorOptions {
  token: string
  relay(): Promise<Relay>
  onProblem(error: unknown): void
}

/** Requests of git at once; more are refused. */
const concurrent = 16
/** A body up to this size is kept, so that it can be sent again; a push is streamed. */
const keptBytes = 1024 * 1024

/** The part of the door for git: bodies of any size, which the backend limits. */
export const createGitDoor = ({ token, relay, onProblem }: GitDoorOptions) => {
  let open = 0
  const pass = async (request: IncomingMessage, response: ServerResponse, path: string): Promise<void> => {
    const gone = new AbortController()
    response.on('close', () => gone.abort())
    try {
      const relayed = {
        method: request.method ?? 'GET',
        path,
        headers: gitHeaders(request.headers, token),
        body: await bodyOf(request),
        headersBack: gitHeadersBack,
      }
      await (await relay()).send(relayed, response, gone.signal)
    } catch (error) {
      if (gone.signal.aborted || response.headersSent) return void response.destroy()
      if (error instanceof BodyTooLarge) return refuseGit(response, 413, error.message)
      onProblem(error)
      refuseGit(response, 502, 'The git proxy could not be reached.')
    }
  }
  return async (request: IncomingMessage, response: ServerResponse, path: string): Promise<void> => {
    if (open >= concurrent) return refuseGit(response, 429, 'Too many requests of git at once.')
    open += 1
    try {
      await pass(request, response, path)
    } finally {
      open -= 1
    }
  }
}

const bodyOf = async (request: IncomingMessage) => {
  if (request.method === 'GET') return undefined
  const length = Number(request.headers['content-length'] ?? Number.POSITIVE_INFINITY)
  if (length > keptBytes) return onceBody(request)
  return readBody(request, { limit: keptBytes, take: () => true })
}

export const refuseGit = (response: ServerResponse, status: number, message: string): void => {
  // The rest of a refused body is not read.
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' })
  response.end(gitError(message))
}
