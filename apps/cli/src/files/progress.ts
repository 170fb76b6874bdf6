import type { Context } from '../context.ts'
import { bytes } from '../render/amounts.ts'

export interface Progress {
  at(done: number, all: number | undefined): void
  end(): void
}

/** How far a transfer is, on a line of its own that is written over; nothing where nobody watches. */
export const progressOn = ({ err, now }: Pick<Context, 'err' | 'now'>, what: string): Progress => {
  let shown = 0
  let wrote = false
  return {
    at: (done, all) => {
      if (!err.isTty || now() - shown < 200) return
      shown = now()
      wrote = true
      const share =
        all === undefined || all === 0 ? '' : ` of ${bytes(all)} (${Math.floor((100 * done) / all)}%)`
      err.write(`\r\u001b[2K${what} ${bytes(done)}${share}`)
    },
    end: () => {
      if (wrote) err.write('\r\u001b[2K')
    },
  }
}
