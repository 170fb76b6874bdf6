import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { findControlGroups } from './find.ts'
import { killMembers, removeGroup } from './group-files.ts'
import { isStale } from './group-name.ts'

const ATTEMPTS = 200
const INTERVAL_MS = 10

/** Kills what is left in a group until it can be removed; false when it still can't after two seconds. */
export async function clearGroup(directories: readonly string[]): Promise<boolean> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (removeGroup(directories)) return true
    killMembers(directories)
    await delay(INTERVAL_MS)
  }
  return removeGroup(directories)
}

function staleGroups(base: string): string[] {
  try {
    return readdirSync(base)
      .filter(isStale)
      .map((name) => join(base, name))
  } catch {
    return []
  }
}

/**
 * Removes control groups of drivers that died without cleaning up, ending any process left in them. Safe at
 * any time and in several drivers at once: groups of living drivers are left alone. Gives how many it removed.
 */
export async function sweep(): Promise<number> {
  const stale = (findControlGroups()?.bases ?? []).flatMap(staleGroups)
  const cleared = await Promise.all(stale.map((directory) => clearGroup([directory])))
  return cleared.filter(Boolean).length
}
