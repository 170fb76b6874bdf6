import { connectWhenThere } from './connect.ts'

/**
 * Holds on to a launcher that ends with its client, from now until this process ends or the launcher does. Resolves with
 * what happened when it is lost. Keeps no process alive.
 */
export async function holdLease(socket: string, waitMs: number): Promise<string> {
  const patience = { deadline: performance.now() + waitMs, signal: new AbortController().signal }
  try {
    const lease = await connectWhenThere(socket, { open: 'lease' }, patience)
    lease.unref().resume()
    await new Promise((resolve) => lease.once('close', resolve).once('end', resolve))
    lease.destroy()
    return `the launcher at ${socket} ended`
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
