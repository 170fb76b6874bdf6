import { type Clock, RuntimeError } from '@berth/runtime'
import { belongings, isAlive, killAll, sendSignal } from './belongings.ts'
import type { Place } from './look.ts'
import type { RunFiles, RunnerRecord } from './run-files.ts'

export interface EndRunner {
  files: RunFiles
  record: RunnerRecord
  place: Place
  clock: Clock
  /** When force begins, milliseconds since 1970; read again and again, so it can be moved. */
  deadline: () => number
}

const forcedCode = 137
const supervisorPatienceMs = 2000
const forcePatienceMs = 10_000

/** SIGTERM, wait, force, until nothing of the runner is left. The supervisor records the end; else we do. */
export const endRunner = async (end: EndRunner): Promise<void> => {
  const { files, record, place, clock } = end
  if (clock.now() < end.deadline() && (await isAlive(record, place))) {
    sendSignal(record.pid, 'SIGTERM')
    await until(clock, end.deadline, async () => !(await isAlive(record, place)))
  }
  const wasForced = await isAlive(record, place)
  if (wasForced) await force(end, { sparing: record.pid, patienceMs: supervisorPatienceMs })
  const left = await force(end, { sparing: undefined, patienceMs: forcePatienceMs })
  if (left > 0) throw stuck(files.session, left)
  if (wasForced) await files.closeExit(record.generation, forcedCode)
}

/** Kills until nothing but the spared one is left, and waits for its own end. Returns how many live on. */
const force = async (
  end: EndRunner,
  how: { sparing: number | undefined; patienceMs: number },
): Promise<number> => {
  const limit = end.clock.now() + how.patienceMs
  let left = 0
  await until(
    end.clock,
    () => limit,
    async () => {
      const found = await belongings(end.files, end.record, end.place)
      killAll(found.filter(({ pid }) => pid !== how.sparing))
      left = found.length
      return left === 0
    },
  )
  return left
}

const until = async (clock: Clock, limit: () => number, done: () => Promise<boolean>): Promise<void> => {
  for (let pause = 2; !(await done()) && clock.now() < limit(); pause = Math.min(pause * 2, 50)) {
    await new Promise<void>((resolve) => clock.setTimeout(resolve, pause))
  }
}

const stuck = (session: string, left: number): RuntimeError =>
  new RuntimeError({
    reason: 'unavailable',
    message: `The runner of ${session} can't be ended: ${left} of its processes ignore SIGKILL, probably because they wait for a disk or network file system that doesn't answer. It is tried again.`,
    retryable: true,
  })
