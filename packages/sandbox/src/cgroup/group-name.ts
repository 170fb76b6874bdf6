import { randomBytes } from 'node:crypto'
import { readlinkSync } from 'node:fs'
import { isAlive, readStat } from '../process/process-stat.ts'

/** Pids mean nothing in another pid namespace; its number goes into the name. */
function pidNamespace(): string {
  return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0'
}

/** `berth-<pid namespace>-<pid of the driver>-<its start time>-<random>` */
export function newGroupName(): string {
  const start = readStat(process.pid)?.startTime ?? 0
  return `berth-${pidNamespace()}-${process.pid}-${start}-${randomBytes(6).toString('hex')}`
}

/** Whether the driver that made the group is gone; false for names that aren't ours to judge. */
export function isStale(name: string): boolean {
  const [, namespace, pid, start] = /^berth-(\d+)-(\d+)-(\d+)-[0-9a-f]{12}$/.exec(name) ?? []
  if (namespace === undefined || namespace !== pidNamespace()) return false
  const driver = readStat(Number(pid))
  return !isAlive(driver) || driver.startTime !== Number(start)
}
