import { once } from 'node:events'
import { connect } from 'node:net'
import type { Location } from './location.ts'

const loopback = /^(localhost|127(\.\d+){3}|\[::1\])$/

/** Whether an address is that of a server which the agent itself runs in its sandbox, as tests of git programs do. */
export const isOwnServer = async ({ host, port }: Pick<Location, 'host' | 'port'>): Promise<boolean> => {
  if (!loopback.test(host)) return false
  const socket = connect({ host: host.replace(/^\[|\]$/g, ''), port })
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
