import { milliCpusOf } from '@berth/contract'
import type { Store } from '../../store/port.ts'
import type { SessionService } from '../service.ts'
import type { Amounts, Quota } from './resource-quotas.ts'

/** What projects allow themselves: live sessions (missing: as many as there is room for), and memory and CPU for all of them. */
export const limitsOfProjects = async (
  { store, service }: { store: Pick<Store, 'projectSettings'>; service: Pick<SessionService, 'settingsOf'> },
  names: ReadonlySet<string>,
) => {
  const projects = new Map<string, number>()
  const quotas = new Map<string, Quota>()
  /** What a session gets that sets nothing itself. */
  const defaults = new Map<string, Amounts>()
  await Promise.all(
    [...names].map(async (name) => {
      const settings = (await store.projectSettings(name))?.settings
      const { liveSessions, quotaMemoryMiB, quotaCpus, memoryMiB, cpus } = service.settingsOf(settings).values
      if (liveSessions !== undefined) projects.set(name, liveSessions)
      const milliCpus = quotaCpus === undefined ? undefined : milliCpusOf(quotaCpus)
      quotas.set(name, { memoryMiB: quotaMemoryMiB, milliCpus })
      defaults.set(name, { memoryMiB, milliCpus: milliCpusOf(cpus) })
    }),
  )
  return { projects, quotas, defaults }
}
