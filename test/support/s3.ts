import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { keysUnder, testStore } from '../../apps/backend/src/blobs/s3/test-store.ts'

/** A place in a real S3-compatible store, reached over a line that can be cut. */
export interface S3Place {
  /** What the backend has to be told. */
  env: Record<string, string>
  /** Which no session may ever see. */
  secret: string
  /** Ends all connections to the store and lets none come about. */
  cut(): void
  mend(): void
  keys(): Promise<string[]>
  close(): Promise<void>
}

export const openS3Place = async (): Promise<S3Place> => {
  const { settings, client } = await testStore()
  const { hostname, port } = new URL(settings.endpoint ?? '')
  const sockets = new Set<Socket>()
  let whole = true
  const server = createServer((near) => {
    if (!whole) {
      near.destroy()
      return
    }
    const far = connect(Number(port) || 80, hostname)
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one)
      one.on('error', () => other.destroy()).on('close', () => sockets.delete(one))
      one.pipe(other)
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = () => {
    whole = false
    for (const socket of sockets) socket.destroy()
  }
  return {
    env: {
      BERTH_S3_BUCKET: settings.bucket,
      BERTH_S3_PREFIX: settings.prefix,
      BERTH_S3_ENDPOINT: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      AWS_ACCESS_KEY_ID: process.env.AWS_ACCESS_KEY_ID ?? '',
      AWS_SECRET_ACCESS_KEY: process.env.AWS_SECRET_ACCESS_KEY ?? '',
    },
    secret: process.env.AWS_SECRET_ACCESS_KEY ?? '',
    cut,
    mend: () => {
      whole = true
    },
    keys: () => keysUnder(client, settings),
    close: async () => {
      cut()
      server.close()
      await once(server, 'close')
      client.destroy()
    },
  }
}
