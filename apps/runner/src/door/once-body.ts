import { Readable } from 'node:stream'

/** A body that is sent on as it comes. It can be sent again only as long as nothing of it was taken. */
export interface OnceBody {
  open(): Readable
  readonly taken: boolean
}

/** The source itself is left as it is when its reader gives up: there may be an answer to send on its connection. */
export const onceBody = (source: Readable): OnceBody => {
  let taken = false
  async function* read(): AsyncGenerator<Buffer> {
    taken = true
    yield* source.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>
  }
  return {
    open: () => Readable.from(read(), { objectMode: false, highWaterMark: 64 * 1024 }),
    get taken() {
      return taken
    },
  }
}
