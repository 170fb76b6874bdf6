import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Gates } from './gates.ts'

export interface GitServer {
  url: string
  /** Paths below this one ask for credentials that nobody has, until it is removed. */
  locked: Set<string>
  close(): Promise<void>
}

/**
 * Serves the repositories below a directory over HTTP. A path `/hold-X/…` is that of `/…`, and is answered when the
 * gate `hold-X` is open.
 */
export const startGitServer = async (root: string, gates: Gates): Promise<GitServer> => {
  const locked = new Set<string>()
  const server = createServer((req, res) => {
    serve(req, res).catch(() => res.destroy())
  })
  const serve = async (req: IncomingMessage, res: ServerResponse) => {
    const [path = '', query = ''] = (req.url ?? '').split('?')
    if ([...locked].some((prefix) => path.startsWith(prefix)))
      return void res.writeHead(401, { 'www-authenticate': 'Basic realm="private"' }).end()
    const hold = /^\/(hold-[^/]+)\//.exec(path)?.[1]
    if (hold !== undefined) await Promise.race([gates.wait(hold), once(res, 'close')])
    if (!res.destroyed) await backend(req, res, { path: path.replace(/^\/hold-[^/]+/, ''), query })
  }
  const backend = async (
    req: IncomingMessage,
    res: ServerResponse,
    { path, query }: Record<'path' | 'query', string>,
  ) => {
    const child = spawn('git', ['-c', 'safe.directory=*', 'http-backend'], {
      env: {
        PATH: process.env.PATH,
        GIT_CONFIG_NOSYSTEM: '1',
        HOME: root,
        GIT_CONFIG_COUNT: '1',
        GIT_CONFIG_KEY_0: 'safe.directory',
        GIT_CONFIG_VALUE_0: '*',
        GIT_PROJECT_ROOT: root,
        GIT_HTTP_EXPORT_ALL: '1',
        REQUEST_METHOD: req.method,
        PATH_INFO: path,
        QUERY_STRING: query,
        CONTENT_TYPE: req.headers['content-type'] ?? '',
        HTTP_CONTENT_ENCODING: req.headers['content-encoding'] ?? '',
        GIT_PROTOCOL: String(req.headers['git-protocol'] ?? ''),
      },
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    child.stdin.on('error', () => undefined)
    req.pipe(child.stdin)
    const chunks: Buffer[] = []
    for await (const chunk of child.stdout) chunks.push(chunk)
    const all = Buffer.concat(chunks)
    const end = all.indexOf('\r\n\r\n')
    const lines = all.subarray(0, end).toString('utf8').split('\r\n')
    const headers = lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)])
    const status = headers.find(([name]) => name === 'Status')?.[1] ?? '200'
    res.writeHead(
      Number(status.slice(0, 3)),
      Object.fromEntries(headers.filter(([name]) => name !== 'Status')),
    )
    res.end(all.subarray(end + 4))
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}`,
    locked,
    close: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close').catch(() => undefined)
    },
  }
}
