import { availableParallelism, totalmem } from 'node:os'

/** What there is room for, over all projects. */
export interface Capacity {
  /** Sessions that may live at once. */
  sessions: number
  /** Memory that their agents may use together when one more is admitted. */
  memoryBytes: number
  /** What a session counts for until its agent's memory is measured. */
  reservedBytes: number
}

const mebibyte = 1024 * 1024

/** A started Claude Code, with some room for the first commands. */
const reservedBytes = 384 * mebibyte

/** For whoever embeds a backend and limits nothing. */
export const unlimited: Capacity = { sessions: Infinity, memoryBytes: Infinity, reservedBytes }

/** What operators set; for the rest the cluster says itself what it has room for. */
export const clusterCapacityOf = (set: { sessions?: number; memoryMiB?: number }): Capacity => ({
  sessions: set.sessions ?? Infinity,
  memoryBytes: set.memoryMiB === undefined ? Infinity : set.memoryMiB * mebibyte,
  reservedBytes,
})

interface Machine {
  memoryBytes: number
  cores: number
}

/** The machine, or the part of it that this process may use. */
const thisMachine = (): Machine => {
  const constrained = process.constrainedMemory()
  return {
    memoryBytes: constrained > 0 ? Math.min(constrained, totalmem()) : totalmem(),
    cores: availableParallelism(),
  }
}

/**
 * What operators set, and for the rest what the machine can bear: three quarters of its memory, and as many sessions as
 * fit there, at most 16 for each core.
 */
export const capacityOf = (
  set: { sessions?: number; memoryMiB?: number },
  machine: Machine = thisMachine(),
): Capacity => {
  const memoryBytes =
    set.memoryMiB === undefined ? Math.floor(machine.memoryBytes * 0.75) : set.memoryMiB * mebibyte
  const fitting = Math.min(16 * machine.cores, Math.floor(memoryBytes / reservedBytes))
  return { sessions: set.sessions ?? Math.max(1, fitting), memoryBytes, reservedBytes }
}
