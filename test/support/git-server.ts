import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { type GitHttpServer, startGitHttpServer } from '@berth/testing'
import type { Gates } from './gates.ts'

export interface GitServer extends GitHttpServer {
  /** Paths below this one ask for credentials that nobody has, until it is removed. */
  locked: Set<string>
}

/**
 * Serves the repositories below a directory over HTTP. A path `/hold-X/…` is that of `/…`, and is answered when the
 * gate `hold-X` is open; of one below `/mid-X/` a pack stops after its beginning until the gate is open.
 */
export const startGitServer = async (root: string, gates: Gates, host?: string): Promise<GitServer> => {
  const locked = new Set<string>()
  const server = await startGitHttpServer({
    root,
    host,
    async route(request, response, path) {
      if ([...locked].some((prefix) => path.startsWith(prefix))) {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="private"' }).end()
        return undefined
      }
      const hold = /^\/(hold-[^/]+)\//.exec(path)?.[1]
      if (hold !== undefined) await Promise.race([gates.wait(hold), once(response, 'close')])
      const mid = /^\/(mid-[^/]+)\//.exec(path)?.[1]
      if (mid !== undefined && request.method === 'POST') stopAt(response, () => gates.wait(mid))
      return path.replace(/^\/(hold|mid)-[^/]+/, '')
    },
  })
  return { ...server, locked }
}

const beginning = 64 * 1024

/** Has whoever writes an answer wait after its beginning. */
const stopAt = (response: ServerResponse, wait: () => Promise<void>): void => {
  const write = response.write.bind(response)
  let sent = 0
  response.write = (chunk: Buffer) => {
    write(chunk)
    sent += chunk.length
    if (sent < beginning) return true
    void wait().then(() => response.emit('drain'))
    return false
  }
}
