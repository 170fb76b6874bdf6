import type { EventData, RunnerFactBody } from '@berth/contract'

export type Resources = EventData<'agent.resources'>

export interface ResourceReporterOptions {
  /** What the agent uses right now; undefined: there is none. */
  usage(): Resources | undefined
  emit(body: RunnerFactBody): void
  /** Milliseconds, of any origin. */
  now(): number
}

/** The least time between two reports. */
const quietMs = 30_000

/** Changes worth a report: a fifth of the memory, but no trifle; some processes; a minute of CPU time. */
const worth = { memoryShare: 0.2, memoryBytes: 16 * 1024 * 1024, processes: 10, cpuMs: 60_000 }

/** Tells what the agent uses when that has changed by much, each time that it is called, but not too often. */
export const createResourceReporter = ({ usage, emit, now }: ResourceReporterOptions): (() => void) => {
  let told: { resources: Resources; at: number } | undefined
  const cpu = { before: 0, last: 0 }
  return () => {
    const used = usage()
    if (used === undefined) return
    // Another Claude Code of the same generation counts from zero.
    if (used.cpuMs < cpu.last) cpu.before += cpu.last
    cpu.last = used.cpuMs
    const resources = {
      memoryBytes: Math.round(used.memoryBytes),
      cpuMs: Math.round(cpu.before + used.cpuMs),
      processes: used.processes,
    }
    if (told !== undefined && (now() - told.at < quietMs || !hasChanged(told.resources, resources))) return
    told = { resources, at: now() }
    emit({ type: 'agent.resources', data: resources })
  }
}

const hasChanged = (before: Resources, after: Resources): boolean => {
  const memory = Math.abs(after.memoryBytes - before.memoryBytes)
  return (
    (memory > worth.memoryBytes && memory >= before.memoryBytes * worth.memoryShare) ||
    Math.abs(after.processes - before.processes) >= worth.processes ||
    after.cpuMs - before.cpuMs >= worth.cpuMs
  )
}

/** The same from time to time. Returns what ends it. */
export const reportResources = (options: ResourceReporterOptions, intervalMs = 5000): (() => void) => {
  const timer = setInterval(createResourceReporter(options), intervalMs)
  return () => clearInterval(timer)
}
