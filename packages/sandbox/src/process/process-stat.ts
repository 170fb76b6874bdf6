import { readdirSync, readFileSync } from 'node:fs'

export interface ProcessStat {
  pid: number
  state: string
  parent: number
  group: number
  session: number
  threads: number
  /** CPU time of the process itself, in ms. */
  cpuMs: number
  /** In clock ticks since the boot: with the pid it names a process for good. */
  startTime: number
}

/** Linux reports CPU time to user space in hundredths of a second on every architecture. */
const MS_PER_TICK = 10

/** Parses `/proc/<pid>/stat`; the name in parentheses may itself hold spaces and parentheses. */
export function parseStat(text: string): ProcessStat {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const field = (index: number): number => Number(fields[index - 3])
  return {
    pid: Number.parseInt(text, 10),
    state: fields[0] ?? '?',
    parent: field(4),
    group: field(5),
    session: field(6),
    threads: field(20),
    cpuMs: (field(14) + field(15)) * MS_PER_TICK,
    startTime: field(22),
  }
}

/** `undefined` when there is no such process (or no /proc). */
export function readStat(pid: number): ProcessStat | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return undefined
  }
}

/** Ended processes that nobody has waited for don't count as alive. */
export function isAlive(stat: ProcessStat | undefined): stat is ProcessStat {
  return stat !== undefined && stat.state !== 'Z' && stat.state !== 'X'
}

/** Every process that can be seen; empty where there is no /proc. */
export function allProcesses(): ProcessStat[] {
  let names: string[]
  try {
    names = readdirSync('/proc')
  } catch {
    return []
  }
  return names.flatMap((name) => {
    const stat = /^\d+$/.test(name) ? readStat(Number(name)) : undefined
    return stat ? [stat] : []
  })
}
