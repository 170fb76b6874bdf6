import { BerthError } from '@berth/contract'
import { sql as raw } from 'kysely'
import type { Programs } from '../operations.ts'
import type { GenerationRow, RunnerIdentity } from '../port.ts'
import { type Program, query, sql } from '../query.ts'

const numberOf = (session: string) => sql.selectFrom('sessions').select('number').where('id', '=', session)

const live = (session: string, generation: number) =>
  sql
    .updateTable('generations')
    .where('session', '=', numberOf(session))
    .where('generation', '=', generation)
    .where('live', '=', 1)

/** The later of two times; SQLite and PostgreSQL have different functions for it. */
const later = (column: string, time: number) =>
  raw<number>`case when ${raw.ref(column)} > ${time} then ${raw.ref(column)} else ${time} end`

const queries = {
  setToken: query<{ session: string; generation: number; tokenHash: string }>()(
    ({ session, generation, tokenHash }) => live(session, generation).set({ token_hash: tokenHash }),
  ),
  beat: query<{ session: string; generation: number; now: number; memory: number | null }>()(
    ({ session, generation, now, memory }) =>
      live(session, generation).set(({ fn, val }) => ({
        heartbeat_at: later('heartbeat_at', now),
        seen_at: later('seen_at', now),
        memory_bytes: fn.coalesce(val(memory), 'memory_bytes'),
      })),
  ),
  exists: query<{ session: string }>()(({ session }) => numberOf(session)),
  runner: query<{ tokenHash: string }>()(({ tokenHash }) =>
    sql
      .selectFrom('generations')
      .innerJoin('sessions', 'sessions.number', 'generations.session')
      .leftJoin('secret_stamps', 'secret_stamps.project', 'sessions.project')
      .select(['sessions.id as session', 'sessions.project', 'generations.generation', 'generations.live'])
      .select('secret_stamps.stamp as secrets')
      .where('token_hash', '=', tokenHash),
  ),
  generation: query<{ session: string }>()(({ session }) =>
    sql
      .selectFrom('generations')
      .select(['generation', 'started_at', 'heartbeat_at'])
      .where('session', '=', numberOf(session))
      .orderBy('generation', 'desc')
      .limit(1),
  ),
}

function* check(changed: number, session: string, generation: number): Program<{ value: undefined }> {
  if (changed > 0) return { value: undefined }
  if ((yield* queries.exists.get({ session })) === undefined)
    throw new BerthError('session_not_found', `There is no session ${session}.`)
  throw new BerthError('fenced', `Generation ${generation} of session ${session} is over.`)
}

/** What changes generations besides the log. */
export const runnerPrograms: Pick<Programs, 'setRunnerToken' | 'heartbeat'> = {
  *setRunnerToken(input) {
    return yield* check(yield* queries.setToken.run(input), input.session, input.generation)
  },
  *heartbeat({ memoryBytes: memory = null, session, generation, now }) {
    return yield* check(yield* queries.beat.run({ session, generation, now, memory }), session, generation)
  },
}

export function* runner(tokenHash: string): Program<RunnerIdentity | undefined> {
  const row = yield* queries.runner.get({ tokenHash })
  if (row === undefined) return undefined
  const { session, project, generation, live, secrets } = row
  return { session, project, generation, current: live === 1, secrets: secrets ?? 0 }
}

export function* generation(session: string): Program<GenerationRow | undefined> {
  const row = yield* queries.generation.get({ session })
  if (row === undefined) return undefined
  const { generation, started_at: startedAt, heartbeat_at: heartbeatAt } = row
  return { generation, startedAt, heartbeatAt: heartbeatAt ?? undefined }
}
