import type { Clock, RunnerEnded, RunnerObservation } from '@berth/runtime'
import { belongings, isAlive, killAll } from './belongings.ts'
import { describeEnd } from './describe-end.ts'
import type { ProcessTable } from './process-table.ts'
import type { ExitRecord, RunFiles, RunnerRecord } from './run-files.ts'

/** This machine, in its present run. */
export interface Place {
  table: ProcessTable
  boot: string
}

/** What stands in the files and the process table; `gone` when the supervisor died without a word. */
export const look = async (files: RunFiles, place: Place): Promise<RunnerObservation | { state: 'gone' }> => {
  const { session } = files
  const record = await files.record()
  if (!record) return { state: 'absent', session }
  const exit = await files.exit(record.generation)
  if (exit) return ended(files, exit)
  if (!(await isAlive(record, place))) return { state: 'gone' }
  return { state: 'running', session, generation: record.generation, startedAt: record.startedAt }
}

/**
 * Closes the books on a runner whose supervisor is gone: ends what is left of it and writes down that it was lost, or
 * what the supervisor had still noted. Under the session's lock only: a newer generation must not start meanwhile.
 */
export const settle = async (files: RunFiles, place: Place, clock: Clock): Promise<RunnerObservation> => {
  const seen = await look(files, place)
  if (seen.state !== 'gone') return seen
  const record = await files.record()
  if (!record) return { state: 'absent', session: files.session }
  await sweep(files, record, place)
  // On a full disk the next look writes it; only the time may differ then.
  await files.closeExit(record.generation, undefined).catch(() => undefined)
  const exit = await files.exit(record.generation, true)
  return ended(files, exit ?? { generation: record.generation, code: undefined, at: clock.now() })
}

/** Ends what a runner left behind; does nothing while its supervisor lives. Under the session's lock only. */
export const sweep = async (files: RunFiles, record: RunnerRecord, place: Place): Promise<void> => {
  if (await isAlive(record, place)) return
  killAll(await belongings(files, record, place))
}

const ended = async (files: RunFiles, exit: ExitRecord): Promise<RunnerEnded> => {
  const logTail = exit.code === 0 || exit.code === undefined ? '' : await files.logTail()
  const { session } = files
  return {
    state: 'ended',
    session,
    generation: exit.generation,
    ...describeEnd(exit.code, logTail),
    endedAt: exit.at,
  }
}
