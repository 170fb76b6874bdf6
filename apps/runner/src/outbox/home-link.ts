import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunnerWelcome } from '@berth/contract'
import type { Contact } from './contact.ts'
import { createEmitter, type Emitter } from './emitter.ts'
import { type Outbox, openOutbox } from './outbox.ts'
import { type SendTo, sendFacts } from './send.ts'
import { openSpool, type Spool } from './spool.ts'

/** The way of facts from this process to the backend. */
export interface HomeLink {
  emitter: Emitter
  spool: Spool
  /** Resolves true when the backend has everything emitted so far, false when that took longer. */
  flush(withinMs: number): Promise<boolean>
  /** Stops sending; what waits stays on disk for the next generation. */
  close(): Promise<void>
}

export interface HomeLinkOptions {
  home: SendTo
  directory: string
  welcome: Pick<RunnerWelcome, 'generation' | 'n' | 'previous'>
  contact: Contact
  /** Aborts the hand-over too. */
  signal: AbortSignal
  now(): Date
  onProblem(error: unknown): void
  /** Sending can't go on: fenced, or the backend has lost facts. */
  onFatal(error: unknown): void
}

/**
 * Hands over what the generation before left, then opens this one's outbox. Rejects with `fenced` when a newer runner
 * took over meanwhile.
 */
export const openHomeLink = async (options: HomeLinkOptions): Promise<HomeLink> => {
  const { home, directory, welcome, contact, now, onProblem } = options
  const spool = await openSpool(join(directory, 'blobs'))
  const open = (generation: number, acknowledged: number) => {
    const path = join(directory, `${generation}.jsonl`)
    return openOutbox({ path, generation, acknowledged, spool, now, onDiskFailure: onProblem })
  }
  const ended = new AbortController()
  const signal = AbortSignal.any([ended.signal, options.signal])
  const own = await open(welcome.generation, welcome.n)
  if (welcome.previous !== undefined) {
    const { generation, n } = welcome.previous
    const rest = await open(generation, n)
    await sendFacts({ home, outbox: rest, spool, contact, signal, untilDrained: true, onProblem })
    if (rest.batch(1).length === 0) await rest.remove()
  }
  await spool.sweep()
  const sending = sendFacts({ home, outbox: own, spool, contact, signal, onProblem }).catch(options.onFatal)
  const emitter = createEmitter(own, spool, onProblem)
  return {
    emitter,
    spool,
    flush: (withinMs) => drainedWithin(emitter, own, withinMs),
    async close() {
      await emitter.settled()
      ended.abort()
      await sending
      await own.close()
      if (own.batch(1).length === 0) await rm(join(directory, `${own.generation}.jsonl`), { force: true })
    },
  }
}

const drainedWithin = async (emitter: Emitter, outbox: Outbox, ms: number): Promise<boolean> => {
  const late = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => late.resolve(false), ms)
  const drained = emitter
    .settled()
    .then(() => outbox.drained())
    .then(() => true)
  return Promise.race([drained, late.promise]).finally(() => clearTimeout(timer))
}
