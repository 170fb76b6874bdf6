import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'

/** A server in a process of its own, which is told something and then says where it listens. */
export const startHelper = async (program: URL, told: unknown): Promise<{ port: number; stop(): void }> => {
  const child = fork(fileURLToPath(program))
  const listening = once(child, 'message')
  child.send(told as object)
  const [{ port }] = (await listening) as [AddressInfo]
  return { port, stop: () => child.disconnect() }
}
