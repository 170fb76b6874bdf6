import type { DatabaseSync } from 'node:sqlite'
import { BerthError } from '@berth/contract'
import type { Handlers } from './protocol.ts'
import { queriesOf, sql } from './query.ts'

const numberOf = (session: string) => sql.selectFrom('sessions').select('number').where('id', '=', session)

/** What changes generations besides the log. */
export const runnerHandlers = (database: DatabaseSync): Pick<Handlers, 'setRunnerToken' | 'heartbeat'> => {
  const query = queriesOf(database)
  const live = (session: string, generation: number) =>
    sql
      .updateTable('generations')
      .where('session', '=', numberOf(session))
      .where('generation', '=', generation)
      .where('live', '=', 1)
  const setToken = query<{ session: string; generation: number; tokenHash: string }>()(
    ({ session, generation, tokenHash }) => live(session, generation).set({ token_hash: tokenHash }),
  )
  const beat = query<{ session: string; generation: number; now: number; memory: number | null }>()(
    ({ session, generation, now, memory }) =>
      live(session, generation).set(({ fn, val }) => ({
        heartbeat_at: fn('max', [fn.coalesce('heartbeat_at', val(0)), val(now)]),
        seen_at: fn('max', ['seen_at', val(now)]),
        memory_bytes: fn.coalesce(val(memory), 'memory_bytes'),
      })),
  )
  const exists = query<{ session: string }>()(({ session }) => numberOf(session))
  const check = (changed: number, session: string, generation: number): { value: undefined } => {
    if (changed > 0) return { value: undefined }
    if (exists.get({ session }) === undefined)
      throw new BerthError('session_not_found', `There is no session ${session}.`)
    throw new BerthError('fenced', `Generation ${generation} of session ${session} is over.`)
  }
  return {
    setRunnerToken: (input) => check(setToken.run(input), input.session, input.generation),
    heartbeat: ({ memoryBytes: memory = null, ...input }) =>
      check(beat.run({ ...input, memory }), input.session, input.generation),
  }
}
