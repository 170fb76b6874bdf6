import { platformSettings } from '@berth/contract'
import type { Store } from '../../store/port.ts'

/** What projects allow themselves: live sessions, and memory for all of them. Projects without a limit are missing. */
export const limitsOfProjects = async (store: Pick<Store, 'projectSettings'>, names: ReadonlySet<string>) => {
  const projects = new Map<string, number>()
  const quotasMiB = new Map<string, number>()
  /** What a session gets that sets nothing itself. */
  const defaultsMiB = new Map<string, number>()
  await Promise.all(
    [...names].map(async (name) => {
      const settings = (await store.projectSettings(name))?.settings
      if (settings?.liveSessions !== undefined) projects.set(name, settings.liveSessions)
      if (settings?.quotaMemoryMiB === undefined) return
      quotasMiB.set(name, settings.quotaMemoryMiB)
      defaultsMiB.set(name, settings.memoryMiB ?? platformSettings.memoryMiB)
    }),
  )
  return { projects, quotasMiB, defaultsMiB }
}
