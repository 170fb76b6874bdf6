import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'

/**
 * Prepares an app for its end. Returns what closes it: requests under way may finish, for at most `ms`. Node counts a
 * connection that has not asked for anything yet as busy (browsers open some in advance): those are cut at once.
 */
export const drainable = (app: FastifyInstance): ((ms: number) => Promise<void>) => {
  const silent = new Set<Socket>()
  app.server.on('connection', (socket) => {
    silent.add(socket)
    socket.once('close', () => silent.delete(socket))
  })
  app.server.on('request', ({ socket }) => void silent.delete(socket))
  return async (ms) => {
    const timer = setTimeout(() => app.server.closeAllConnections(), ms)
    for (const socket of silent) socket.destroy()
    await app.close()
    clearTimeout(timer)
  }
}
