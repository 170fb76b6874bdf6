import { limits } from '@berth/contract'
import { keyMismatch } from '../key-mismatch.ts'
import type { AppendRequest, AppendResult } from '../port.ts'
import type { Program } from '../query.ts'
import { appendQueries } from './append-queries.ts'

const idempotencyMs = limits.idempotencyHours * 3600_000

type Outcome = Pick<AppendResult, 'summary' | 'first' | 'position' | 'prompt'>

/** What the request's key stands for already, with the session of then; refuses a key that stands for something else. */
export function* knownOutcome({
  idempotency,
  now,
}: AppendRequest): Program<{ session: string; outcome: Outcome } | undefined> {
  if (idempotency === undefined) return undefined
  const { scope, key, hash } = idempotency
  const record = yield* appendQueries.record.get({ scope, key })
  if (record === undefined || record.created_at <= now - idempotencyMs) return undefined
  if (record.hash !== hash) throw keyMismatch(key)
  const { session, summary, first, position, prompt } = record
  return { session, outcome: { summary, first, position, prompt: prompt ?? undefined } }
}

/** Remembers what came of a request with a key. */
export function* remember({ idempotency, session, now }: AppendRequest, outcome: Outcome): Program<void> {
  if (idempotency === undefined) return
  const { summary, first, position, prompt = null } = outcome
  const record = { ...idempotency, session, summary, first, position, prompt, created_at: now }
  yield* appendQueries.remember.run(record)
}
