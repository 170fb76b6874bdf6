import type { Place } from './look.ts'
import type { ProcessInfo } from './process-table.ts'
import type { RunFiles, RunnerRecord } from './run-files.ts'

/** Whether the supervisor of this record lives: same pid, same start, same run of the machine. */
export const isAlive = async (record: RunnerRecord, place: Place): Promise<boolean> => {
  if (record.boot !== place.boot) return false
  return (await place.table.find(record.pid))?.start === record.start
}

/**
 * Every living process that belongs to a session's runner: the supervisor with its process group and session, what
 * carries the session's directory in its environment (it may have left the group), and all their descendants.
 *
 * A pid can be used again after its owner's end. So a group counts only when its leader is our supervisor, or when
 * the leader is gone and a member carries the mark (the system keeps the number reserved while the group lives).
 */
export const belongings = async (
  files: RunFiles,
  record: RunnerRecord,
  { table, boot }: Place,
): Promise<ProcessInfo[]> => {
  const all = (await table.all()).filter((info) => info.pid !== process.pid)
  const marked = new Set<number>()
  await Promise.all(
    all.map(async ({ pid }) => {
      if (carriesMark(await table.environment(pid), files.sessionDirectory)) marked.add(pid)
    }),
  )
  const ours = new Set(marked)
  if (record.boot === boot) for (const { pid } of groupOf(all, record, marked)) ours.add(pid)
  addDescendants(all, ours)
  return all.filter(({ pid }) => ours.has(pid))
}

/** Ends processes with force; those that are gone already don't matter. */
export const killAll = (processes: readonly ProcessInfo[]): void => {
  for (const { pid } of processes) sendSignal(pid, 'SIGKILL')
}

/** Whether the signal was sent; false when the process is gone. */
export const sendSignal = (pid: number, signal: NodeJS.Signals): boolean => {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}

const carriesMark = (environment: string, directory: string): boolean =>
  `\0${environment}`.includes(`\0BERTH_SESSION_DIR=${directory}\0`)

const groupOf = (all: ProcessInfo[], record: RunnerRecord, marked: Set<number>): ProcessInfo[] => {
  const leader = all.find(({ pid }) => pid === record.pid)
  const members = all.filter(({ group, session }) => group === record.pid || session === record.pid)
  const isOurs = leader ? leader.start === record.start : members.some(({ pid }) => marked.has(pid))
  return isOurs ? members : []
}

const addDescendants = (all: ProcessInfo[], ours: Set<number>): void => {
  for (let before = -1; before !== ours.size; ) {
    before = ours.size
    for (const { pid, parent } of all) if (ours.has(parent)) ours.add(pid)
  }
}
