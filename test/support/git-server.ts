import { once } from 'node:events'
import { type GitHttpServer, startGitHttpServer } from '@berth/testing'
import type { Gates } from './gates.ts'

export interface GitServer extends GitHttpServer {
  /** Paths below this one ask for credentials that nobody has, until it is removed. */
  locked: Set<string>
}

/**
 * Serves the repositories below a directory over HTTP. A path `/hold-X/…` is that of `/…`, and is answered when the
 * gate `hold-X` is open.
 */
export const startGitServer = async (root: string, gates: Gates, host?: string): Promise<GitServer> => {
  const locked = new Set<string>()
  const server = await startGitHttpServer({
    root,
    host,
    async route(_request, response, path) {
      if ([...locked].some((prefix) => path.startsWith(prefix))) {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="private"' }).end()
        return undefined
      }
      const hold = /^\/(hold-[^/]+)\//.exec(path)?.[1]
      if (hold !== undefined) await Promise.race([gates.wait(hold), once(response, 'close')])
      return path.replace(/^\/hold-[^/]+/, '')
    },
  })
  return { ...server, locked }
}
