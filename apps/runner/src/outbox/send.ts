import type { RunnerClient } from '@berth/client'
import { type Fact, isBerthError, limits, preview } from '@berth/contract'
import type { Contact } from './contact.ts'
import type { Entry } from './entry.ts'
import type { Outbox } from './outbox.ts'
import type { Spool } from './spool.ts'

/** What sending needs of the client. */
export type SendTo = Pick<RunnerClient, 'facts' | 'hello' | 'putBlob'>

export interface SendOptions {
  home: SendTo
  outbox: Outbox
  spool: Spool
  contact: Contact
  /** Ends the sending; what waits stays in the outbox. */
  signal: AbortSignal
  /** Return when the backend has everything. Default: go on with what is appended later. */
  untilDrained?: boolean
  /** Longest wait between two tries, in ms. Default 5000. */
  maxDelayMs?: number
  onProblem(error: unknown): void
}

/**
 * Sends facts in order, at once when there are any, and for ever again while the backend is away. Rejects with the
 * error `fenced` when a newer runner took over, and with a plain error when the backend has lost facts.
 */
export const sendFacts = async (options: SendOptions): Promise<void> => {
  const { outbox, contact, signal } = options
  const pace = { most: limits.factsPerBatch as number, failures: 0 }
  while (!signal.aborted) {
    if (options.untilDrained === true && outbox.batch(1).length === 0) return
    await outbox.work(signal)
    const batch = outbox.batch(pace.most)
    if (signal.aborted || batch.length === 0) continue
    try {
      await sendBatch(options, batch)
      contact.ok()
      pace.most = limits.factsPerBatch
      pace.failures = 0
    } catch (error) {
      if (signal.aborted) return
      await recover(options, { error, batch, pace })
    }
  }
}

const sendBatch = async (options: SendOptions, batch: readonly Entry[]): Promise<void> => {
  const { home, outbox, signal } = options
  for (const blob of new Set(batch.flatMap((entry) => entry.blobs))) await sendBlob(options, blob)
  const facts = batch.map((entry) => JSON.parse(entry.fact) as Fact)
  const { n } = await home.facts({ generation: outbox.generation, facts }, { signal })
  outbox.acknowledge(n)
}

const sendBlob = async ({ home, spool, signal, onProblem }: SendOptions, blob: string): Promise<void> => {
  const bytes = await spool.get(blob)
  if (bytes === undefined) return
  try {
    await home.putBlob(blob, bytes, { signal })
  } catch (error) {
    // Nothing makes it smaller: the fact goes without it rather than never.
    if (!isBerthError(error) || error.code !== 'too_large') throw error
    onProblem(error)
  }
}

interface Setback {
  error: unknown
  batch: readonly Entry[]
  pace: { most: number; failures: number }
}

const recover = async (options: SendOptions, { error, batch, pace }: Setback): Promise<void> => {
  const code = isBerthError(error) ? error.code : undefined
  if (code === 'fenced') throw error
  if (code === 'fact_gap') return rewind(options)
  if (code === 'invalid_input' || code === 'too_large' || code === 'invalid_json')
    return narrow(options, { error, batch, pace })
  if (options.contact.failed()) options.onProblem(error)
  pace.failures += 1
  const longest = options.maxDelayMs ?? 5000
  await pause(
    Math.min(longest, 50 * 2 ** Math.min(pace.failures, 10)) * (0.5 + Math.random() / 2),
    options.signal,
  )
}

/** Learns where the backend stands. What it lost after it had confirmed it can't be sent again. */
const rewind = async ({ home, outbox, signal }: SendOptions): Promise<void> => {
  const { n, previous, generation } = await home.hello({ signal })
  const stored = outbox.generation === generation ? n : (previous?.n ?? 0)
  if (stored < outbox.acknowledged)
    throw new Error(`the backend has facts up to ${stored}, though it had confirmed ${outbox.acknowledged}`)
  outbox.acknowledge(stored)
}

/** Finds the fact that is refused by halving the batch, and sends a notice in its place: the rest must go on. */
const narrow = ({ outbox, onProblem }: SendOptions, { error, batch, pace }: Setback): void => {
  const [first] = batch
  if (batch.length > 1) {
    pace.most = Math.ceil(batch.length / 2)
    return
  }
  if (first === undefined) return
  onProblem(error)
  pace.most = limits.factsPerBatch
  const { type } = JSON.parse(first.fact) as Fact
  const why = error instanceof Error ? error.message : String(error)
  const message = preview(`An event of the kind ${type} was refused and left out: ${why}`, 2000)
  outbox.replace(first.n, { type: 'runner.notice', data: { level: 'error', message } })
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
  })
