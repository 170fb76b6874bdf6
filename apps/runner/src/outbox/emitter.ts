import type { RunnerFactBody } from '@berth/contract'
import type { Outbox } from './outbox.ts'
import { fits, shrink } from './shrink.ts'
import type { Spool } from './spool.ts'

/** Where every part of the runner tells what it saw. */
export interface Emitter {
  /**
   * Appends a fact, in the order of the calls. Resolves when there is room for the next one: a reader that waits for
   * it reads no faster than facts can be kept. Never rejects.
   */
  emit(body: RunnerFactBody, blobs?: readonly string[]): Promise<void>
  /** Resolves when everything emitted so far is in the outbox. */
  settled(): Promise<void>
}

/** Facts with texts that are too long wait for the disk, and those behind them wait for them; all others don't. */
export const createEmitter = (outbox: Outbox, spool: Spool, onProblem: (error: unknown) => void): Emitter => {
  let chain: Promise<void> | undefined
  const save = (text: string) => spool.put(Buffer.from(text))
  const appendLong = async (body: RunnerFactBody) => {
    try {
      const short = await shrink(body, save)
      outbox.append(short.body, short.blobs)
    } catch (error) {
      onProblem(error)
      const message = `An event of the kind ${body.type} could not be kept: ${String(error)}`.slice(0, 2000)
      outbox.append({ type: 'runner.notice', data: { level: 'error', message } })
    }
  }
  const queue = (task: () => Promise<void> | void) => {
    const mine = (chain ?? Promise.resolve()).then(task)
    chain = mine
    void mine.then(() => {
      if (chain === mine) chain = undefined
    })
    return mine
  }
  return {
    async emit(body, blobs = []) {
      if (!fits(body)) await queue(() => appendLong(body))
      else if (chain !== undefined) await queue(() => void outbox.append(body, blobs))
      else outbox.append(body, blobs)
      await outbox.room()
    },
    settled: async () => chain,
  }
}
