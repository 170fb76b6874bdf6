import { z } from 'zod'
import { cpuCores } from './cpu-cores.ts'

/** What a project's live sessions may have together. A session that does not fit waits for its turn. */
export const projectQuotas = {
  /** Memory in MiB: the sum of what live sessions were started with (`memoryMiB` of each). Default: no limit. */
  quotaMemoryMiB: z.number().int().min(512).max(1_073_741_824).optional(),
  /** CPU in cores: the sum of what live sessions were started with (`cpus` of each). Default: no limit. */
  quotaCpus: cpuCores(1_000_000).optional(),
}
