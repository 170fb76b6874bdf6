import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A request as it arrived. */
export interface SeenRequest {
  method: string
  url: string
  headers: IncomingHttpHeaders
}

/** A real git server over HTTP: protocol 2, narrow clones, pushes; nothing is held in memory. */
export interface GitHttpServer {
  url: string
  requests: SeenRequest[]
  close(): Promise<void>
}

export interface GitHttpServerOptions {
  /** The directory that has the repositories. */
  root: string
  /** Address to listen at. Default: 127.0.0.1. */
  host?: string
  /** Default: one that is free. */
  port?: number
  /** Gives the path to serve; undefined: it has answered by itself. Default: that of the request. */
  route?(request: IncomingMessage, response: ServerResponse, path: string): Promise<string | undefined>
}

/** Serves the repositories below a directory, by git's own CGI program. */
export const startGitHttpServer = async (options: GitHttpServerOptions): Promise<GitHttpServer> => {
  const { root, host = '127.0.0.1', port = 0, route } = options
  const requests: SeenRequest[] = []
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const { method = '', url = '', headers } = request
    requests.push({ method, url, headers })
    const [path = '', query = ''] = url.split('?')
    const routed = route === undefined ? path : await route(request, response, path)
    if (routed !== undefined && !response.destroyed)
      await callGit({ request, response }, { root, path: routed, query })
  }
  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy())
  })
  server.listen(port, host)
  await once(server, 'listening')
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    requests,
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close').catch(() => undefined)
    },
  }
}

const settings = [
  ['safe.directory', '*'],
  ['http.receivepack', 'true'],
  ['uploadpack.allowFilter', 'true'],
  ['uploadpack.allowAnySHA1InWant', 'true'],
  ['receive.advertisePushOptions', 'true'],
]

const callGit = async (
  { request, response }: { request: IncomingMessage; response: ServerResponse },
  { root, path, query }: Record<'root' | 'path' | 'query', string>,
): Promise<void> => {
  const child = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env.PATH,
      HOME: root,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_COUNT: String(settings.length),
      ...Object.fromEntries(
        settings.flatMap(([key, value], i) => [
          [`GIT_CONFIG_KEY_${i}`, key],
          [`GIT_CONFIG_VALUE_${i}`, value],
        ]),
      ),
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      REQUEST_METHOD: request.method,
      PATH_INFO: path,
      QUERY_STRING: query,
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  response.on('close', () => child.kill('SIGKILL'))
  child.stdin.on('error', () => undefined)
  request.pipe(child.stdin)
  let head: Buffer | undefined = Buffer.alloc(0)
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    let content = chunk
    if (head !== undefined) {
      head = Buffer.concat([head, chunk])
      const end = head.indexOf('\r\n\r\n')
      if (end === -1) continue
      writeHead(response, head.subarray(0, end).toString('utf8'))
      content = head.subarray(end + 4)
      head = undefined
    }
    if (!response.write(content)) await room(response)
  }
  response.end()
}

/** Resolves when more can be written, or nothing more at all. */
const room = (response: ServerResponse): Promise<void> =>
  new Promise((resolve) => {
    const go = () => {
      response.off('drain', go).off('close', go)
      resolve()
    }
    response.on('drain', go).on('close', go)
  })

const writeHead = (response: ServerResponse, text: string): void => {
  const headers = text.split('\r\n').map((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon), line.slice(colon + 2)] as const
  })
  const status = headers.find(([name]) => name === 'Status')?.[1] ?? '200'
  const rest = headers.filter(([name]) => name !== 'Status')
  response.writeHead(Number(status.slice(0, 3)), Object.fromEntries(rest))
}
