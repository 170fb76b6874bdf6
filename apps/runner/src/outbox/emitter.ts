import type { RunnerFactBody } from '@berth/contract'
import type { Outbox } from './outbox.ts'
import { fits, shrink } from './shrink.ts'
import type { Spool } from './spool.ts'

/** Where every part of the runner tells what it saw. */
export interface Emitter {
  /** Appends a fact, in the order of the calls. Never fails: what can't be kept becomes a notice. */
  emit(body: RunnerFactBody, blobs?: readonly string[]): void
  /** Resolves when there is room for more: who waits for it reads no faster than facts can be kept. */
  room(): Promise<void>
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
  }
  return {
    emit(body, blobs = []) {
      if (!fits(body)) queue(() => appendLong(body))
      else if (chain !== undefined) queue(() => void outbox.append(body, blobs))
      else outbox.append(body, blobs)
    },
    room: async () => {
      await chain
      await outbox.room()
    },
    settled: async () => chain,
  }
}
