import type { Waiting } from './admit.ts'
import type { Capacity } from './capacity.ts'

/** What a session waits for, and what would help, for people. */
export const waitMessage = (reason: Waiting['reason'], { sessions, memoryBytes }: Capacity): string => {
  switch (reason) {
    case 'sessions':
      return `${sessions} sessions live, which is as many as may. It starts when one of them stops or goes to sleep.`
    case 'project-sessions':
      return 'As many sessions of this project live as its setting liveSessions allows. It starts when one of them stops or goes to sleep.'
    case 'project-memory':
      return 'Its memoryMiB does not fit into what is left of its project’s quotaMemoryMiB. It starts when sessions of the project stop or go to sleep, and never when it wants more than the whole quota: then set its memoryMiB lower, or have an admin raise the quota.'
    case 'project-cpus':
      return 'Its cpus do not fit into what is left of its project’s quotaCpus. It starts when sessions of the project stop or go to sleep, and never when it wants more than the whole quota: then set its cpus lower, or have an admin raise the quota.'
    case 'memory':
      return `The sessions that live use nearly all of the ${Math.round(memoryBytes / 1024 / 1024)} MiB of memory that they may use together. It starts when one of them stops or needs less.`
  }
}
